#define __bpf__
#include <stddef.h>

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "model/track.h"

static struct track_world *world;

static void *look_up(const void *map, const __u32 *key);
static long no_payload(void)
{
	return -1; /* no packet here is QUIC */
}

#define bpf_map_lookup_elem(map, key) look_up(map, (const __u32 *)(key))
#define bpf_ktime_get_coarse_ns()     (world->now_ns)
#define bpf_jiffies64()		      (world->now_ns >> 20)
#define frame_load(...)		      no_payload()

typedef struct xdp_md frame;

#undef FLOWS_DEFAULT
#define FLOWS_DEFAULT (TRACK_LINES * FLOWS_A_LINE)
#include "lb/track.h"

static void *look_up(const void *map, const __u32 *key)
{
	if (map == &flows)
		return *key < 9 * TRACK_LINES / 4 ? &world->flows[*key] : NULL;
	if (map == &service_states)
		return *key == 0 ? world->state : NULL;
	if (map == &backend_tables)
		return *key < world->backend_count ? &world->backends[*key] : NULL;
	return NULL;
}

struct track_answer track_one(struct track_world *in, const struct generation *gen,
			      const struct packet *pkt, __u64 hash, struct bucket bucket)
{
	struct choice choice = { .hash = hash, .backend = bucket.current, .base = bucket.base };

	world = in;
	see_flow(&choice, pkt);
	if (bucket.current != bucket.base)
		track_flow(NULL, gen, &choice);
	return (struct track_answer){ .backend = choice.backend, .tracked = choice.tracked };
}
