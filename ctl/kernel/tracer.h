#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kernel/tracefs.h"
#include "maps/trace.h"

namespace weir::kernel {

// A place in a program or library: by its symbol, or by where it lies in the file.
struct UserPlace {
    std::string file = {};   // a path, or a name that is looked for as programs and libraries are
    std::string symbol = {}; // "": at `offset`
    std::uint64_t offset = 0;
    std::uint64_t semaphore = 0; // of a counter in the file that is raised meanwhile; 0: none
};

// A session's books: the sums over its CPUs and benches.
struct TraceBooks : trace_books {
    // Hit, and no program ran; among `fired`:
    std::uint64_t nested = 0; // because four were at work on the CPU
    std::uint64_t missed = 0; // because the kernel did not ask it
};

// A tracing session: its programs, maps and attachments, all of which end with it, and with the
// process however that ends: nothing is pinned.
class Tracer {
public:
    // A function of the kernel or, of that id, of a BPF program.
    struct Hooked {
        std::string function = {};
        std::uint32_t program = 0;
    };
    // Which bodies are needed: only these are verified.
    struct Bodies {
        bool probe = false; // kprobes and uprobes
        bool multi = false;
        bool tracepoint = false;
        bool raw = false;
        Hooked entry; // what fentry is first loaded for
        Hooked exit;  // the same, fexit
    };
    // The kernel takes the memory at once: 1 for what is not used.
    struct Room {
        std::uint32_t ring_octets = 4096; // power of two, whole pages
        std::uint32_t totals = 1;
        std::uint32_t open = 1;
        std::uint32_t stacks = 1;
        std::vector<trace_flow> flows = {}; // TRACE_FLOWS at most
    };

    static Result<Tracer> load(const Bodies& bodies, const Room& room);
    Tracer(Tracer&&) noexcept;
    Tracer& operator=(Tracer&&) noexcept;
    ~Tracer();

    Result<> write_recipe(std::uint32_t index, const trace_recipe& recipe);
    // A text that recipes compare with.
    Result<> write_word(std::uint32_t index, const std::string& word);

    // `cookie`: TRACE_COOKIE of the probe and its recipe. `exit`: at the function's return.
    Result<> attach_tracepoint(const Tracepoint& tracepoint, std::uint64_t cookie);
    Result<> attach_raw_tracepoint(const std::string& name, std::uint32_t arguments,
                                   std::uint64_t cookie);
    Result<> attach_kprobe(const std::string& function, bool exit, std::uint64_t cookie);
    Result<> attach_kprobes(const std::vector<std::string>& functions, bool exit,
                            const std::vector<std::uint64_t>& cookies); // by one link
    // By the function's id in the kernel's BTF or, of a BPF program, in the program's own.
    Result<> attach_fentry(std::uint32_t btf_id, std::uint32_t program, bool exit,
                           std::uint64_t cookie);
    // `pid` 0: every process.
    Result<> attach_uprobe(const UserPlace& place, int pid, bool exit, std::uint64_t cookie);

    // Waits so long at most, and hands over what is in the ring.
    Result<> poll(int milliseconds, const std::function<void(const trace_event&)>& each);
    // Sums over all CPUs. `clear`: and forgets them.
    Result<std::vector<std::pair<trace_key, trace_total>>> totals(bool clear);
    Result<std::vector<std::pair<trace_open_key, trace_opened>>> open() const;
    // Addresses, the innermost first. Empty: there is no such stack.
    std::vector<std::uint64_t> stack(std::int64_t id) const;
    Result<TraceBooks> books() const;

private:
    struct State;
    explicit Tracer(std::unique_ptr<State> state);
    Result<std::uint64_t> missed() const;
    std::unique_ptr<State> state_;
};

} // namespace weir::kernel
