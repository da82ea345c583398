#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace weir::bench {

// Gives this process mounts of its own with an empty bpffs on /sys/fs/bpf: what is pinned from now
// on, by this process and by the tools that it runs, is seen by nobody else.
Result<> enter_private_mounts();

// What stands where, in three network namespaces:
//
//     generator            device                       sink
//     gen 192.0.2.1 ------ in         out 10.0.2.1 ---- sink 10.0.2.2
//
// The namespaces have no names: they are held by descriptors alone, so that the kernel removes them
// with all that is in them however this process ends.
class Lab {
public:
    enum class Place { kGenerator, kDevice, kSink };

    // `number` tells the interfaces of labs apart, for tools that pin by interface name. `queues`:
    // of every interface; with more than one, what a CPU sends goes through the one of its number.
    static Result<Lab> make(int number, std::uint32_t queues);

    // Moves this process, and what it starts, there.
    Result<> enter(Place place) const;

    std::string in() const { return "in" + std::to_string(number_); }
    std::string out() const { return "out" + std::to_string(number_); }
    std::string sink() const { return "sink" + std::to_string(number_); }
    std::string generator() const { return "gen" + std::to_string(number_); }

    // What `ip … netns` takes for one of them: a namespace without a name is named by the
    // descriptor that this process holds.
    std::string path(Place place) const;

    // Frames that the device was handed, as its driver counts them. Enters the device's namespace.
    Result<std::uint64_t> received() const;

private:
    explicit Lab(int number) : number_(number) {}
    Result<> lay_out(std::uint32_t queues) const;

    int number_;
    std::array<Fd, 3> namespaces_; // by Place
};

// What the frames say and where they are to go.
inline constexpr const char* kVip = "203.0.113.10";
inline constexpr const char* kBackend = "10.0.2.2"; // the sink
inline constexpr std::uint64_t kGeneratorMac = 0x020000000001, kInMac = 0x020000000002,
                               kOutMac = 0x020000000003, kSinkMac = 0x020000000004;

// Commands of `ip -batch`, a line each.
Result<> ip_batch(const std::string& commands);
// Frames reach a veth from another's XDP only where XDP or GRO gave it its queues.
Result<> switch_gro_on(const std::string& interface);
// A number of /proc/sys, of the namespace that this process is in.
Result<> set_sysctl(const std::string& name, int value);
// Index of an interface of the namespace that this process is in.
Result<std::uint32_t> index_of(const std::string& interface);

} // namespace weir::bench
