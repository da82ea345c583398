#include "kernel/user_symbols.h"

#include <elfutils/libdwfl.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace weir::kernel {
namespace {

std::string hexadecimal(const char* before, std::uint64_t number) {
    char text[32];
    std::snprintf(text, sizeof(text), "%s0x%" PRIx64, before, number);
    return text;
}

// When a process began, in ticks since boot; "": there is none. Numbers are used again, and a
// process whose memory is gone already has none to read.
std::string begin_of(int pid) {
    const std::string process = "/proc/" + std::to_string(pid);
    std::ifstream stat(process + "/stat"), maps(process + "/maps");
    std::string line;
    std::getline(stat, line);
    const std::size_t name = line.rfind(')'); // may hold blanks itself
    if (name == std::string::npos || maps.get() == std::ifstream::traits_type::eof()) {
        return "";
    }
    constexpr int kFieldsBetween = 20; // proc(5): the name is field 2, the start is field 22
    std::istringstream fields(line.substr(name + 1));
    std::string begin;
    for (int i = 0; i < kFieldsBetween; i++) {
        fields >> begin;
    }
    return begin;
}

} // namespace

struct UserSymbols::State {
    int pid;
    std::string begin = begin_of(pid);
    Dwfl* dwfl = nullptr;
    std::map<std::uint64_t, std::string> known;

    explicit State(int of) : pid(of) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { dwfl_end(dwfl); }

    // Of one that has gone, what is known already is all there is.
    bool report() {
        if (begin_of(pid) != begin) {
            return false;
        }
        dwfl_report_begin(dwfl);
        const int error = dwfl_linux_proc_report(dwfl, pid);
        return dwfl_report_end(dwfl, nullptr, nullptr) == 0 && error == 0;
    }
    std::string find(std::uint64_t address) const {
        Dwfl_Module* module = dwfl_addrmodule(dwfl, address);
        if (module == nullptr) {
            return "";
        }
        GElf_Off offset = 0;
        GElf_Sym symbol;
        const char* name =
            dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
        if (name != nullptr) {
            return offset == 0 ? name : name + hexadecimal("+", offset);
        }
        const char* file =
            dwfl_module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
        return hexadecimal("", address) +
               (file == nullptr ? ""
                                : " (" + std::filesystem::path(file).filename().string() + ")");
    }
};

UserSymbols::UserSymbols(std::unique_ptr<State> state) : state_(std::move(state)) {}
UserSymbols::UserSymbols(UserSymbols&&) noexcept = default;
UserSymbols& UserSymbols::operator=(UserSymbols&&) noexcept = default;
UserSymbols::~UserSymbols() = default;

Result<UserSymbols> UserSymbols::of(int pid) {
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                             .find_debuginfo = dwfl_standard_find_debuginfo,
                                             .section_address = nullptr,
                                             .debuginfo_path = nullptr};
    auto state = std::make_unique<State>(pid);
    state->dwfl = dwfl_begin(&callbacks);
    if (state->dwfl == nullptr || !state->report()) {
        return fail("reading the symbols of process " + std::to_string(pid) + ": " +
                    dwfl_errmsg(-1));
    }
    return UserSymbols(std::move(state));
}

std::string UserSymbols::describe(std::uint64_t address) {
    std::string& known = state_->known[address];
    if (known.empty()) {
        known = state_->find(address);
    }
    if (known.empty() && state_->report()) {
        known = state_->find(address);
    }
    if (known.empty()) {
        known = hexadecimal("", address);
    }
    return known;
}

bool UserSymbols::current() const {
    const std::string begin = begin_of(state_->pid);
    return begin.empty() || begin == state_->begin;
}

UserSymbols* ProcessSymbols::of(int pid) {
    constexpr std::size_t kProcesses = 64;
    auto found = known_.find(pid);
    if (found != known_.end() && !found->second.current()) {
        known_.erase(found);
        std::erase(order_, pid);
        found = known_.end();
    }
    if (found == known_.end()) {
        auto symbols = UserSymbols::of(pid);
        if (!symbols) {
            return nullptr;
        }
        if (order_.size() == kProcesses) {
            known_.erase(order_.front());
            order_.pop_front();
        }
        found = known_.emplace(pid, *std::move(symbols)).first;
        order_.push_back(pid);
    }
    return &found->second;
}

std::string ProcessSymbols::describe(int pid, std::uint64_t address) {
    UserSymbols* symbols = of(pid);
    return symbols == nullptr ? hexadecimal("", address) : symbols->describe(address);
}

} // namespace weir::kernel
