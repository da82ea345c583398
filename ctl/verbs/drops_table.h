#pragma once

#include <map>
#include <string>
#include <vector>

#include "verbs/drops_sources.h"

// The table of `weir drops`: packets that the kernel freed, frames that were lost around XDP, and
// Weir's own drops, as rows of one kind.
namespace weir::verbs {

struct DropRow {
    std::string reason;
    std::string function;
    std::string device; // "-": none, or no longer known; with its namespace, if that is another
    std::vector<std::string> more = {}; // by the expressions of --by
    std::vector<output::Json> more_json = {};
    std::vector<std::string> stack = {};
    std::uint64_t packets = 0;
};

// What is asked for.
struct DropWish {
    std::vector<trace::NamedExpression> by = {};
    bool stack = false;
    bool where = false;      // packets are chosen: what has none to look at is left out
    std::string device = {}; // "": all
    std::uint32_t index = 0; // of `device`

    // Weir's counters and the tracepoints of XDP know no packet.
    bool counters() const { return !where; }
    // What the kernel frees for Weir is told twice; which of its packets they are is known by
    // interface and reason alone.
    bool by_packet() const { return !by.empty() || stack; }
    // Sockets forget the interface of what they were given; the kernel's part looks by which it
    // came.
    bool wants(const std::string& at, std::uint32_t of, std::uint32_t own) const {
        return device.empty() || at.empty() || (at == device && of == own);
    }
};

// The kernel's part: the first step counts packets, what follows frames.
Result<std::vector<trace::Step>> drop_steps(const DropWish& wish);
// Values of the first step; those of --by follow.
enum DropValue { kDropReason, kDropLocation, kDropNetns, kDropDevice, kDropFixed };

// Names of network namespaces and of the current one's interfaces.
class Places {
public:
    static Result<Places> read();
    std::string device(const std::string& name, std::uint32_t netns) const;
    std::string device(std::uint32_t index) const;
    std::uint32_t netns() const { return netns_; }

private:
    std::uint32_t netns_ = 0;
    std::map<std::uint32_t, std::string> namespaces_; // by inode, of /run/netns
    std::map<std::uint32_t, std::string> interfaces_; // by index
};

// Counts from one round to the next.
class DropTable {
public:
    DropTable(const DropWish& wish, const Places& places, const Context& cx)
        : wish_(wish), places_(places), cx_(cx) {}
    // From now on.
    Result<> begin(trace::Session& session);
    // What was dropped since, the most first.
    Result<std::vector<DropRow>> next(trace::Session& session);

private:
    Result<std::vector<DropRow>> of_kernel(trace::Session& session);
    void add_weir(const WeirDrops& before, const WeirDrops& now, std::vector<DropRow>& rows) const;

    const DropWish& wish_;
    const Places& places_;
    const Context& cx_;
    std::map<std::string, trace_total> totals_; // by their keys' octets
    std::optional<WeirDrops> weir_;
};

} // namespace weir::verbs
