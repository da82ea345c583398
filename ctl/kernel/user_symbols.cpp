#include "kernel/user_symbols.h"

#include <elfutils/libdwfl.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <map>

namespace weir::kernel {
namespace {

std::string hexadecimal(const char* before, std::uint64_t number) {
    char text[32];
    std::snprintf(text, sizeof(text), "%s0x%" PRIx64, before, number);
    return text;
}

} // namespace

struct UserSymbols::State {
    int pid;
    Dwfl* dwfl = nullptr;
    std::map<std::uint64_t, std::string> known;

    explicit State(int of) : pid(of) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { dwfl_end(dwfl); }

    bool report() {
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

} // namespace weir::kernel
