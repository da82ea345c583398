#include "bench/show/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "bench/process.h"

namespace weir::bench {
namespace {

std::string beginning(const Fd& file) {
    std::array<char, 1000> text{};
    const ssize_t got = pread(file.get(), text.data(), text.size(), 0);
    return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

class Actions {
public:
    Actions() { posix_spawn_file_actions_init(&actions_); }
    ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;
    posix_spawn_file_actions_t* get() { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

} // namespace

Result<Drawn> run_gnuplot(const std::string& script, const std::filesystem::path& folder) {
    if (script.empty()) {
        return Drawn::kYes;
    }
    WEIR_TRY(const Fd commands, memory_file("gnuplot-commands", script));
    WEIR_TRY(const Fd complaints, memory_file("gnuplot-complaints"));
    Actions actions;
    posix_spawn_file_actions_adddup2(actions.get(), commands.get(), STDIN_FILENO);
    posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(actions.get(), complaints.get(), STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(actions.get(), folder.c_str());
    // -d: nobody's ~/.gnuplot changes what it draws.
    std::array<char*, 3> words = {const_cast<char*>("gnuplot"), const_cast<char*>("-d"), nullptr};
    pid_t child = 0;
    const int error = posix_spawnp(&child, words[0], actions.get(), nullptr, words.data(), environ);
    if (error == ENOENT) {
        return Drawn::kNoGnuplot;
    }
    if (error != 0) {
        return fail_errno("running gnuplot", error);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return fail_errno("waiting for gnuplot", errno);
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return fail("drawing plots: gnuplot failed: " + beginning(complaints));
    }
    return Drawn::kYes;
}

} // namespace weir::bench
