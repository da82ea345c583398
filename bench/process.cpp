#include "bench/process.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "base/fd.h"

namespace weir::bench {
namespace {

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

std::string last_line(const std::string& text) {
    std::string words = text.substr(0, text.find_last_not_of(" \n") + 1);
    // Of a compiler, whose complaint stands above the place that it is about.
    if (const std::size_t complaint = words.rfind("ERROR"); complaint != std::string::npos) {
        words.resize(std::min(words.find('\n', complaint), words.size()));
    }
    return words.substr(words.rfind('\n') + 1);
}

// In the memory of the parent, which stands still meanwhile; returns only if there is an error.
int become(char** arguments, const int (&descriptors)[3], pid_t parent) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (dup2(descriptors[fd], fd) < 0) {
            return errno;
        }
    }
    // The kernel ends it with its parent, however that ends; unless it has ended just now.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) {
        return ESRCH;
    }
    execvp(arguments[0], arguments);
    return errno;
}

// The descriptors become its standard input, output and errors. By vfork: posix_spawn has no words
// for PR_SET_PDEATHSIG, and setpriv(1), which has, is one more program to start for each of them.
Result<pid_t> spawn(const std::vector<std::string>& words, const Fd& in, const Fd& out,
                    const Fd& err) {
    std::vector<char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    const int descriptors[] = {in.get(), out.get(), err.get()};
    const pid_t parent = getpid();
    volatile int error = 0;
    const pid_t child = vfork();
    if (child == 0) {
        error = become(arguments.data(), descriptors, parent);
        _exit(127);
    }
    if (child > 0 && error == 0) {
        return child;
    }
    if (child < 0) {
        error = errno;
    } else {
        waitpid(child, nullptr, 0);
    }
    return error == ENOENT ? fail(words[0] + " is not installed")
                           : fail_errno("running " + words[0], error);
}

Result<int> wait_for(pid_t child, const std::string& name) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return fail_errno("waiting for " + name, errno);
        }
    }
    return status;
}

// Why a program is no more, with its last words.
Error why_it_ended(const std::string& name, int status, const std::string& said) {
    const std::string how = WIFSIGNALED(status)
                                ? fmt::format("ended by signal {}", WTERMSIG(status))
                                : fmt::format("exit status {}", WEXITSTATUS(status));
    return Error(fmt::format("{}: {} ({})", name, said, how));
}

} // namespace

Result<Fd> memory_file(const char* name, const std::string& content) {
    Fd file(memfd_create(name, MFD_CLOEXEC));
    if (!file) {
        return fail_errno("memfd_create", errno);
    }
    for (std::size_t done = 0; done < content.size();) {
        const ssize_t n = ::write(file.get(), content.data() + done, content.size() - done);
        if (n < 0) {
            return fail_errno("writing a file in memory", errno);
        }
        done += static_cast<std::size_t>(n);
    }
    lseek(file.get(), 0, SEEK_SET);
    return file;
}

Result<> run_beside(const std::vector<std::string>& words) {
    WEIR_TRY(const Fd in, memory_file("input"));
    WEIR_TRY(const Fd out, memory_file("output"));
    const Fd err(dup(STDERR_FILENO));
    WEIR_TRY(const pid_t child, spawn(words, in, out, err));
    WEIR_TRY(const int status, wait_for(child, words[0]));
    return status == 0 ? Result<>{} : fail(why_it_ended(words[0], status, "failed"));
}

Result<std::string> run_process(const std::vector<std::string>& words, const std::string& input) {
    WEIR_TRY(const Fd in, memory_file("input", input));
    WEIR_TRY(const Fd out, memory_file("output"));
    WEIR_TRY(const Fd err, memory_file("errors"));
    WEIR_TRY(const pid_t child, spawn(words, in, out, err));
    WEIR_TRY(const int status, wait_for(child, words[0]));
    if (status != 0) {
        const std::string said = first_line(content_of(err));
        return fail(
            why_it_ended(words[0], status, said.empty() ? first_line(content_of(out)) : said));
    }
    return content_of(out);
}

Child::Child(std::string name, pid_t pid, Fd errors)
    : name_(std::move(name)), pid_(pid), errors_(std::move(errors)) {}

Child::Child(Child&& other) noexcept
    : name_(std::move(other.name_)), pid_(std::exchange(other.pid_, 0)),
      errors_(std::move(other.errors_)) {}

Child::~Child() {
    if (pid_ != 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
}

Result<Child> Child::start(const std::vector<std::string>& words) {
    return start_until(words, "");
}

Result<Child> Child::start_until(const std::vector<std::string>& words, const std::string& said) {
    WEIR_TRY(const Fd in, memory_file("input"));
    WEIR_TRY(const Fd out, memory_file("output"));
    WEIR_TRY(Fd err, memory_file("errors"));
    WEIR_TRY(const pid_t pid, spawn(words, in, out, err));
    Child child(words[0], pid, std::move(err));
    while (content_of(out).find(said) == std::string::npos) {
        WEIR_CHECK(child.check());
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return child;
}

Result<> Child::check() {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == 0) {
        return {};
    }
    pid_ = 0;
    return fail(why_it_ended(name_, status, last_line(content_of(errors_))));
}

} // namespace weir::bench
