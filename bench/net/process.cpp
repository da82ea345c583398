#include "bench/net/process.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"

namespace weir::bench {
namespace {

// A file in memory: unlike a pipe it is never full.
Result<Fd> memory_file(const char* name, const std::string& content = "") {
    Fd file(memfd_create(name, MFD_CLOEXEC));
    if (!file) {
        return fail_errno("memfd_create", errno);
    }
    for (std::size_t done = 0; done < content.size();) {
        const ssize_t n = ::write(file.get(), content.data() + done, content.size() - done);
        if (n < 0) {
            return fail_errno("writing a command's input", errno);
        }
        done += static_cast<std::size_t>(n);
    }
    lseek(file.get(), 0, SEEK_SET);
    return file;
}

std::string content_of(const Fd& file) {
    std::string text(static_cast<std::size_t>(std::max<off_t>(lseek(file.get(), 0, SEEK_END), 0)),
                     '\0');
    const ssize_t n = pread(file.get(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    return text;
}

std::string first_line(const std::string& text) {
    const std::size_t start = text.find_first_not_of(" \n");
    return start == std::string::npos ? "" : text.substr(start, text.find('\n', start) - start);
}

} // namespace

Result<std::string> run_process(const std::vector<std::string>& words, const std::string& input) {
    WEIR_TRY(const Fd in, memory_file("input", input));
    WEIR_TRY(const Fd out, memory_file("output"));
    WEIR_TRY(const Fd err, memory_file("errors"));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.get(), STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int error =
        posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT) {
        return fail(words[0] + " is not installed");
    }
    if (error != 0) {
        return fail_errno("running " + words[0], error);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return fail_errno("waiting for " + words[0], errno);
        }
    }
    if (status != 0) {
        const std::string said = first_line(content_of(err));
        const std::string how = WIFSIGNALED(status)
                                    ? fmt::format("ended by signal {}", WTERMSIG(status))
                                    : fmt::format("exit status {}", WEXITSTATUS(status));
        return fail(
            fmt::format("{}: {}", words[0], said.empty() ? first_line(content_of(out)) : said) +
            " (" + how + ")");
    }
    return content_of(out);
}

} // namespace weir::bench
