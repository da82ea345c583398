#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <bpf/bpf.h>

#include "base/fd.h"
#include "base/result.h"

// The bpf(2) calls that Weir makes, with owners and errors.
namespace weir::kernel {

// enum bpf_attach_type of kernel 6.6; Debian 12's headers end before.
inline constexpr int kTcxIngress = 46; // BPF_TCX_INGRESS
inline constexpr int kTcxEgress = 47;  // BPF_TCX_EGRESS

// libbpf's option structures begin with their own size. Cleared in place: libbpf refuses a set bit
// in the padding, which a copy need not keep.
template <typename Plain>
struct Options : Plain {
    Options() {
        std::memset(static_cast<void*>(static_cast<Plain*>(this)), 0, sizeof(Plain));
        this->sz = sizeof(Plain);
    }
};

Result<Fd> open_pin(const std::filesystem::path& path);
Result<> pin(int fd, const std::filesystem::path& path);
Result<bpf_map_info> map_info(int fd);
Result<bpf_prog_info> program_info(int fd);
Result<Fd> program_by_id(std::uint32_t id);
Result<std::vector<std::uint32_t>> map_ids_of(int program_fd);

std::uint32_t possible_cpus();

// Elements of a map, keys and values packed one after the other. What bpf(2)'s batch commands take.
struct Elements {
    std::uint32_t count = 0;
    std::vector<std::uint8_t> keys;
    std::vector<std::uint8_t> values;
};
Result<> update_all(int map, const Elements& elements);
Result<Elements> read_all(int map);

// An array map's elements in our address space (BPF_F_MMAPABLE).
class Mapping {
public:
    enum class Access { kRead, kWrite };
    static Result<Mapping> of(int map, Access access);
    Mapping(Mapping&& other) noexcept
        : start_(std::exchange(other.start_, nullptr)), size_(other.size_) {}
    Mapping& operator=(Mapping&&) = delete;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();

    // The elements without the padding to whole pages.
    std::span<std::uint8_t> bytes() const { return {static_cast<std::uint8_t*>(start_), size_}; }

private:
    Mapping(void* start, std::size_t size) : start_(start), size_(size) {}
    void* start_;
    std::size_t size_;
};

template <typename Value>
std::span<const std::uint8_t> octets_of(const std::vector<Value>& values) {
    return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(Value)};
}

} // namespace weir::kernel
