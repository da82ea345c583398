#include "kernel/bpf.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <bpf/libbpf.h>

#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// Elements that one batch call carries; the kernel copies it key by key, with a reschedule between.
constexpr std::uint32_t kBatch = 4096;

constexpr std::size_t rounded_up(std::size_t size, std::size_t unit) {
    return (size + unit - 1) / unit * unit;
}

// Octets that one value takes in user memory: per-CPU values are padded to 8 and stand once a CPU.
std::size_t value_room(const bpf_map_info& info) {
    switch (info.type) {
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
        return rounded_up(info.value_size, 8) * possible_cpus();
    default:
        return info.value_size;
    }
}

// A batch cursor is as wide as a key or, for hash tables, a bucket number.
std::size_t cursor_room(const bpf_map_info& info) {
    return std::max<std::size_t>(info.key_size, sizeof(std::uint32_t));
}

} // namespace

Result<Fd> open_pin(const std::filesystem::path& path) {
    Fd fd(bpf_obj_get(path.c_str()));
    if (!fd) {
        return refusal("opening " + path.string(), errno);
    }
    return fd;
}

Result<> pin(int fd, const std::filesystem::path& path) {
    if (bpf_obj_pin(fd, path.c_str()) != 0) {
        return refusal("pinning " + path.string(), errno);
    }
    return {};
}

Result<bpf_map_info> map_info(int fd) {
    bpf_map_info info{};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) {
        return refusal("asking for a map's sizes", errno);
    }
    return info;
}

Result<bpf_prog_info> program_info(int fd) {
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) {
        return refusal("asking about a program", errno);
    }
    return info;
}

Result<Fd> program_by_id(std::uint32_t id) {
    Fd fd(bpf_prog_get_fd_by_id(id));
    if (!fd) {
        return refusal("opening program " + std::to_string(id), errno);
    }
    return fd;
}

Result<std::vector<std::uint32_t>> map_ids_of(int program_fd) {
    WEIR_TRY(const bpf_prog_info first, program_info(program_fd));
    std::vector<std::uint32_t> ids(first.nr_map_ids);
    bpf_prog_info info{};
    info.nr_map_ids = first.nr_map_ids;
    info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(program_fd, &info, &size) != 0) {
        return refusal("asking for a program's maps", errno);
    }
    return ids;
}

std::uint32_t possible_cpus() {
    return static_cast<std::uint32_t>(libbpf_num_possible_cpus());
}

Result<> update_all(int map, const Elements& elements) {
    WEIR_TRY(const bpf_map_info info, map_info(map));
    const Options<bpf_map_batch_opts> settings;
    const std::size_t value_size = value_room(info);
    for (std::uint32_t done = 0; done < elements.count;) {
        std::uint32_t count = std::min(kBatch, elements.count - done);
        if (bpf_map_update_batch(map, elements.keys.data() + std::size_t{done} * info.key_size,
                                 elements.values.data() + done * value_size, &count,
                                 &settings) != 0) {
            if (errno == E2BIG || errno == ENOSPC) {
                return fail(std::string("filling ") + info.name + ": more than its " +
                            std::to_string(info.max_entries) + " entries");
            }
            return refusal(std::string("filling ") + info.name, errno);
        }
        done += count;
    }
    return {};
}

Result<Elements> read_all(int map) {
    WEIR_TRY(const bpf_map_info info, map_info(map));
    const Options<bpf_map_batch_opts> settings;
    const std::size_t value_size = value_room(info);
    std::vector<std::uint8_t> cursor(cursor_room(info)), next(cursor_room(info));
    // A batch that is smaller than a hash bucket is refused with ENOSPC and asked again larger.
    std::uint32_t batch = std::min(kBatch, std::max(info.max_entries, 1U));
    Elements all;
    for (bool begun = false;;) {
        std::uint32_t count = batch;
        all.keys.resize((std::size_t{all.count} + batch) * info.key_size);
        all.values.resize((std::size_t{all.count} + batch) * value_size);
        const int answer =
            bpf_map_lookup_batch(map, begun ? cursor.data() : nullptr, next.data(),
                                 all.keys.data() + std::size_t{all.count} * info.key_size,
                                 all.values.data() + all.count * value_size, &count, &settings);
        const int error = answer == 0 ? 0 : errno;
        if (error == ENOSPC && batch < (1U << 20)) {
            batch *= 2;
            continue;
        }
        if (error != 0 && error != ENOENT) {
            return refusal(std::string("reading ") + info.name, error);
        }
        all.count += count;
        if (error == ENOENT) {
            break;
        }
        cursor = next;
        begun = true;
    }
    all.keys.resize(std::size_t{all.count} * info.key_size);
    all.values.resize(all.count * value_size);
    return all;
}

Result<Mapping> Mapping::of(int map, Access access) {
    WEIR_TRY(const bpf_map_info info, map_info(map));
    const std::size_t size = rounded_up(info.value_size, 8) * info.max_entries;
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const int protection = access == Access::kWrite ? PROT_READ | PROT_WRITE : PROT_READ;
    void* start = ::mmap(nullptr, rounded_up(size, page), protection, MAP_SHARED, map, 0);
    if (start == MAP_FAILED) {
        return refusal(std::string("mapping ") + info.name + " into memory", errno);
    }
    return Mapping(start, size);
}

Mapping::~Mapping() {
    if (start_) {
        ::munmap(start_, rounded_up(size_, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))));
    }
}

} // namespace weir::kernel
