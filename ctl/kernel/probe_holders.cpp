#include "kernel/probe_holders.h"

#include <bpf/bpf.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/fd.h"
#include "kernel/perf_probe.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// The number behind "link_id:" in a descriptor's fdinfo; 0: it is no link.
std::uint32_t link_of(const fs::path& fdinfo) {
    std::ifstream file(fdinfo);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("link_id:")) {
            std::uint32_t id = 0;
            const std::size_t at = line.find_first_of("0123456789");
            if (at != std::string::npos) {
                std::from_chars(line.data() + at, line.data() + line.size(), id);
            }
            return id;
        }
    }
    return 0;
}

void look_at(const fs::path& process, const Holder& holder, const Symbols& symbols,
             Descriptors& found) {
    std::error_code gone; // a process may end meanwhile
    for (const auto& each : fs::directory_iterator(process / "fd", gone)) {
        const std::string target = fs::read_symlink(each.path(), gone).string();
        const std::string number = each.path().filename();
        if (target.find("perf_event") != std::string::npos) {
            int descriptor = 0;
            std::from_chars(number.data(), number.data() + number.size(), descriptor);
            AttachedProbe probe = perf_probe_of_descriptor(holder.pid, descriptor, symbols);
            if (!probe.kind.empty()) {
                probe.pid = holder.pid;
                probe.comm = holder.comm;
                found.perf_events.push_back(std::move(probe));
            }
        } else if (target.find("bpf") != std::string::npos) {
            if (const auto link = link_of(process / "fdinfo" / number); link != 0) {
                found.links.emplace(link, holder);
            }
        }
    }
}

// "36 25 0:32 / /sys/fs/bpf rw,nosuid - bpf bpf rw": proc_pid_mountinfo(5)
std::vector<fs::path> bpf_filesystems() {
    std::vector<fs::path> found;
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string word, at;
        for (int field = 1; field <= 5 && words >> word; field++) {
            at = word;
        }
        while (words >> word && word != "-") {
        }
        if (words >> word && word == "bpf") {
            found.emplace_back(at);
        }
    }
    return found;
}

} // namespace

Descriptors look_at_descriptors(const Symbols& symbols) {
    Descriptors found;
    std::error_code error;
    for (const auto& process : fs::directory_iterator("/proc", error)) {
        const std::string name = process.path().filename();
        Holder holder;
        if (std::from_chars(name.data(), name.data() + name.size(), holder.pid).ptr ==
                name.data() + name.size() &&
            holder.pid > 0) {
            holder.comm = first_line(process.path() / "comm");
            look_at(process.path(), holder, symbols, found);
        }
    }
    return found;
}

std::map<std::uint32_t, std::string> look_at_pins() {
    std::map<std::uint32_t, std::string> found;
    for (const fs::path& mounted : bpf_filesystems()) {
        std::error_code gone;
        for (fs::recursive_directory_iterator at(mounted, gone), end; !gone && at != end;
             at.increment(gone)) {
            std::error_code ignored;
            if (!fs::is_regular_file(at->symlink_status(ignored))) {
                continue;
            }
            const Fd object(bpf_obj_get(at->path().c_str()));
            const auto link =
                object ? link_of("/proc/self/fdinfo/" + std::to_string(object.get())) : 0;
            if (link != 0) {
                found.emplace(link, at->path().string());
            }
        }
    }
    return found;
}

} // namespace weir::kernel
