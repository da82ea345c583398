#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

struct bpf_program;

namespace weir::verbs {

// A filter in the words of pcap-filter(7), for Ethernet frames.
class PacketFilter {
public:
    // "" takes every frame.
    static Result<PacketFilter> parse(const std::string& words);
    bool takes(std::span<const std::uint8_t> octets, std::uint32_t length) const;

private:
    struct Free {
        void operator()(bpf_program* program) const;
    };
    explicit PacketFilter(std::unique_ptr<bpf_program, Free> program)
        : program_(std::move(program)) {}
    std::unique_ptr<bpf_program, Free> program_;
};

} // namespace weir::verbs
