#include <algorithm>
#include <numeric>

#include "compile/images.h"

namespace weir::compile {
namespace {

// The finaliser of SplitMix64 (Steele et al., OOPSLA 2014): every input bit reaches every output
// bit.
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// A member's own order of all buckets: first, first + step, first + 2 * step, ... modulo their number,
// a power of two. The step is odd, so that every bucket comes up once.
struct Permutation {
    std::uint32_t next;
    std::uint32_t step;
    std::uint32_t mask;

    std::uint32_t take() {
        const std::uint32_t bucket = next & mask;
        next += step;
        return bucket;
    }
};

// From the address as a number, not as memory: nodes of either byte order agree.
Permutation permutation(const IpAddr& address, std::uint64_t seed, std::uint32_t buckets) {
    const U128 number = address.number();
    const auto family = static_cast<std::uint64_t>(address.family());
    const std::uint64_t first = mix(mix(mix(seed ^ family) ^ number.hi) ^ number.lo);
    const std::uint64_t second = mix(first);
    return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second) | 1, buckets - 1};
}

// The members' turns, as positions in `weights`, enough of them to fill the ring. The heaviest
// member has a turn in every round; one of weight w has its k-th turn in round ceil(k * heaviest /
// w), so that after any round each had its share, less at most one turn.
std::vector<std::uint32_t> turns(const std::vector<std::uint64_t>& weights,
                                 std::uint32_t buckets) {
    const std::uint64_t heaviest = *std::max_element(weights.begin(), weights.end());
    const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    const std::uint64_t rounds = ((buckets + weights.size()) * heaviest + sum - 1) / sum;

    std::vector<std::size_t> begin(rounds + 2); // where a round's turns begin: a counting sort
    const auto each = [&](auto&& visit) {
        for (std::uint32_t member = 0; member < weights.size(); member++) {
            const std::uint64_t last = rounds * weights[member] / heaviest;
            for (std::uint64_t k = 1; k <= last; k++) {
                visit((k * heaviest + weights[member] - 1) / weights[member], member);
            }
        }
    };
    each([&](std::uint64_t round, std::uint32_t) { begin[round + 1]++; });
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    std::vector<std::uint32_t> order(begin.back());
    each([&](std::uint64_t round, std::uint32_t member) { order[begin[round]++] = member; });
    return order;
}

} // namespace

std::vector<std::uint32_t> maglev(const std::vector<RingMember>& members, std::uint64_t seed,
                                  std::uint32_t buckets) {
    std::vector<RingMember> active;
    std::copy_if(members.begin(), members.end(), std::back_inserter(active),
                 [](const RingMember& m) { return m.weight > 0; });
    std::sort(active.begin(), active.end(),
              [](const RingMember& a, const RingMember& b) { return a.address < b.address; });
    std::vector<std::uint32_t> ring(buckets, BUCKET_NONE);
    if (active.empty()) {
        return ring;
    }

    std::vector<std::uint64_t> weights;
    std::vector<Permutation> order;
    for (const RingMember& member : active) {
        weights.push_back(member.weight);
        order.push_back(permutation(member.address, seed, buckets));
    }
    std::uint32_t empty = buckets;
    for (const std::uint32_t member : turns(weights, buckets)) {
        std::uint32_t bucket = order[member].take();
        while (ring[bucket] != BUCKET_NONE) {
            bucket = order[member].take();
        }
        ring[bucket] = active[member].index;
        if (--empty == 0) {
            break;
        }
    }
    return ring;
}

} // namespace weir::compile
