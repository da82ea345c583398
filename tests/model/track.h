#pragma once

// What the data plane decides about packets of tracked flows (dataplane/lb/track.h), compiled for
// this machine so that a test can let time pass as it likes.
#include "maps/balancer.h"
#include "maps/facts.h"
#include "maps/generation.h"

// Lines of established flows; the table has 9/4 as many.
#define TRACK_LINES 2048

#ifdef __cplusplus
extern "C" {
#endif

struct track_world {
	struct flow_line *flows;
	struct service_state *state; /* of the only service, slot 0 */
	struct backend *backends;
	__u32 backend_count;
	__u64 now_ns;
};

struct track_answer {
	__u32 backend;
	__u32 tracked;
};

struct track_answer track_one(struct track_world *world, const struct generation *gen,
			      const struct packet *pkt, __u64 hash, struct bucket bucket);

#ifdef __cplusplus
}
#endif
