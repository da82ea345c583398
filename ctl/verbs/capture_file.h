#pragma once

#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "kernel/capture.h"
#include "output/pcapng.h"
#include "verbs/capture_packet.h"

namespace weir::verbs {

// Wall-clock time, in ns since 1970, of what bears CLOCK_MONOTONIC.
class WallTime {
public:
    WallTime() : offset_(now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC)) {}
    std::uint64_t of(std::uint64_t monotonic) const { return monotonic + offset_; }
    static std::uint64_t now(clockid_t clock);

private:
    std::uint64_t offset_; // modulo 2^64
};

// A pcapng file with two interfaces for each hook of a device: "eth0 entry", "eth0 exit".
class CaptureFile {
public:
    // "-" is the standard output.
    static Result<CaptureFile> create(const std::string& path, const CaptureWords& words,
                                      const std::string& filter, std::uint32_t snap);
    Result<> packet(const kernel::CapturedPacket& packet);
    Result<> flush();
    // What reads the pipe is gone: no failure of this command.
    bool reader_gone() const { return reader_gone_; }
    // Statistics of each interface; `lost` is told with each, for all of them share the ring.
    Result<> finish(std::uint64_t lost);

private:
    struct Close {
        void operator()(std::FILE* file) const {
            if (file != stdout) {
                std::fclose(file);
            }
        }
    };
    using Side = std::tuple<std::uint32_t, std::uint32_t, bool>; // ifindex, hook, exit
    struct Seen {
        std::uint32_t number = 0;
        std::uint64_t packets = 0;
    };
    CaptureFile(std::string path, std::unique_ptr<std::FILE, Close> file, const CaptureWords& words,
                std::string filter, std::uint32_t snap)
        : path_(std::move(path)), file_(std::move(file)), words_(words), filter_(std::move(filter)),
          snap_(snap) {}
    Result<> write(const std::string& block);
    tl::unexpected<Error> refused();
    Result<> side(const kernel::CapturedPacket& packet, bool exit);

    std::string path_;
    std::unique_ptr<std::FILE, Close> file_;
    const CaptureWords& words_;
    std::string filter_;
    std::uint32_t snap_;
    WallTime clock_;
    std::map<Side, Seen> sides_;
    bool reader_gone_ = false;
};

} // namespace weir::verbs
