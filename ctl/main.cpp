#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <vector>

#include "verbs/command_line.h"
#include "verbs/help.h"

namespace {

using namespace weir;

enum ExitCode { kDone = 0, kRefused = 1, kUsage = 2 };

// A descriptor that the caller closed would be given to the next file opened, and what we print
// would land in a map. With these in place, printing fails as it should.
void keep_standard_descriptors() {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", O_RDONLY);
        }
    }
}

// The state to work on: --pins, else the environment, else the place of the system's own.
std::string pin_base(const std::string& option) {
    if (!option.empty()) {
        return option;
    }
    const char* environment = std::getenv("WEIR_PINS");
    return environment != nullptr && *environment != '\0' ? environment : "/sys/fs/bpf/weir";
}

int failed(const Error& error) {
    output::complain(error.message());
    return error.fault() == Fault::kUsage ? kUsage : kRefused;
}

// The reader that left is no error of ours; anything else that could not be written is.
int finish(output::Output& out, int code) {
    const int error = out.flush();
    if (error == 0 || error == EPIPE) {
        return code;
    }
    output::complain(std::string("writing the output: ") + std::strerror(error));
    return kRefused;
}

int print(output::Output& out, const std::string& text) {
    out.text(text);
    return finish(out, kDone);
}

int incomplete(const std::string& family) {
    output::Output err(false, stderr);
    err.text(family.empty() ? verbs::help() : verbs::family_help(family));
    err.flush();
    return kUsage;
}

int run(const verbs::Invocation& given) {
    output::Output out(given.json && !given.help && !given.version, stdout);
    if (given.version) {
        return print(out, "weir " WEIR_VERSION "\n");
    }
    if (given.help) {
        return print(out, given.verb != nullptr  ? verbs::verb_help(*given.verb)
                          : given.family.empty() ? verbs::help()
                                                 : verbs::family_help(given.family));
    }
    if (given.verb == nullptr) {
        return incomplete(given.family);
    }
    verbs::Context cx{kernel::Pins(pin_base(given.pins)), out};
    const auto done = given.verb->run(given.options, given.words, cx);
    // What a verb printed before it was refused comes first.
    const int code = finish(out, kDone);
    return done ? code : failed(done.error());
}

} // namespace

int main(int argc, char** argv) {
    keep_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> args(argv + 1, argv + argc);
    output::Output out(false, stdout);
    // The build asks for these; they are for no user.
    if (args == std::vector<std::string>{"--print-man"}) {
        return print(out, weir::verbs::man_page());
    }
    if (args == std::vector<std::string>{"--print-completion"}) {
        return print(out, weir::verbs::bash_completion());
    }
    const auto given = weir::verbs::parse_command_line(args);
    return given ? run(*given) : failed(given.error());
}
