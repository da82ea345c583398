#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/apps/scratch_folder.h"
#include "bench/net/lab.h"
#include "bench/process.h"

namespace weir::bench {

// A lab with a client where the generator is, and servers where the sink is:
//
//     client                   device                    server
//     192.0.2.1 ------------ in      out ------------- 10.0.2.2, the VIP on lo
//     198.18.0.1 ------------------------------------- 198.18.0.2
//
// The server answers by the lower line, past the device, as with direct server return. No interface
// leaves segmentation or checksums to a driver: frames are what they were on a wire.
class AppsLab {
public:
    static Result<AppsLab> make(int number);

    const Lab& lab() const { return lab_; }
    // Answers come back through the device: address translation needs that.
    Result<> answer_through_device() const;
    // Starts nginx and iperf3, to the server's CPU, and waits until they listen. What cannot be
    // started is named by why_not().
    Result<> start_servers(unsigned cpu);
    // Of the server on that port: why it is missing; "" if it is there.
    const std::string& why_not(std::uint16_t port) const;

private:
    explicit AppsLab(Lab lab) : lab_(std::move(lab)) {}
    Result<> lay_out() const;
    Result<Child> start_nginx();
    Result<> wait_for(Child& server, std::uint16_t port) const;

    Lab lab_;
    std::unique_ptr<ScratchFolder> scratch_;
    std::vector<Child> servers_;
    std::string no_nginx_, no_iperf_;
};

// Of the server's end of the lower line.
inline constexpr const char* kDirect = "198.18.0.2";
inline constexpr std::uint16_t kHttpPort = 80, kIperfPort = 5201;

} // namespace weir::bench
