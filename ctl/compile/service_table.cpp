#include <algorithm>
#include <utility>

#include "compile/images.h"
#include "maps/flow_hash.h"

namespace weir::compile {
namespace {

// Cuckoo hashing (Pagh and Rodler, 2001): who comes takes a place, and who was there moves to its
// other one. With three places in four empty, a few moves are enough but for unlucky seeds.
constexpr int kMoves = 64;
constexpr std::uint64_t kSeeds = 64;

class Table {
public:
    Table(std::uint32_t places, std::uint64_t seed)
        : table_{std::vector<service>(places), seed}, mask_(places - 1) {}

    // False: with this seed it has no place.
    bool put(service entry) {
        std::uint32_t at = first(entry);
        for (int move = 0; move < kMoves; move++) {
            std::swap(entry, table_.places[at]);
            if ((entry.flags & SERVICE_HERE) == 0) {
                return true;
            }
            at = at == first(entry) ? second(entry) : first(entry);
        }
        return false;
    }

    ServiceTable done() && {
        for (std::uint32_t at = 0; at <= mask_; at++) {
            if ((table_.places[at].flags & SERVICE_HERE) != 0 && first(table_.places[at]) != at) {
                table_.places[first(table_.places[at])].flags |= SERVICE_MOVED;
            }
        }
        return std::move(table_);
    }

private:
    std::uint64_t hash(const service& entry) const {
        return service_hash(entry.vip_hi, entry.vip_lo, entry.key, table_.seed);
    }
    std::uint32_t first(const service& entry) const { return service_first(hash(entry), mask_); }
    std::uint32_t second(const service& entry) const { return service_second(hash(entry), mask_); }

    ServiceTable table_;
    std::uint32_t mask_;
};

} // namespace

Result<ServiceTable> service_table(const std::vector<service>& entries, std::uint32_t places) {
    if (entries.empty()) {
        return ServiceTable{};
    }
    for (std::uint64_t seed = 0; seed < kSeeds; seed++) {
        Table table(places, mix64(seed));
        const bool all = std::all_of(entries.begin(), entries.end(),
                                     [&](const service& entry) { return table.put(entry); });
        if (all) {
            return std::move(table).done();
        }
    }
    return fail("no table of " + std::to_string(places) + " places holds these " +
                std::to_string(entries.size()) + " services and VIPs: two of them are the same");
}

} // namespace weir::compile
