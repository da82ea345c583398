// Runs a fuzz target without libFuzzer: each file of the corpus, then mutations of them. The same
// corpus and number of runs always make the same inputs.
//
//   fuzz_rule CORPUS RUNS     replay the corpus and RUNS mutations
//   fuzz_rule FILE...         replay these files alone, for instance one that was found bad
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Sets up what a target needs once; most need nothing.
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);

namespace {

using Input = std::vector<std::uint8_t>;
constexpr std::size_t kInputMax = 4096;
constexpr std::uint32_t kSeed = 1;

Input current;

// An input that kills the target is written where it can be replayed from.
void keep_current() {
    constexpr char kFile[] = "crash-input";
    std::FILE* file = std::fopen(kFile, "wb");
    if (file != nullptr) {
        const bool written = std::fwrite(current.data(), 1, current.size(), file) == current.size();
        if (std::fclose(file) == 0 && written) {
            std::fprintf(stderr, "the input is kept in %s\n", kFile);
        }
    }
}

extern "C" void on_abort(int) {
    keep_current();
    _exit(1);
}
extern "C" const char* __asan_default_options() {
    return "abort_on_error=1:handle_abort=0";
}
extern "C" const char* __ubsan_default_options() {
    return "abort_on_error=1:print_stacktrace=1";
}

Input read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end()); // the directory's order is the file system's
    std::vector<Input> corpus(paths.size());
    std::transform(paths.begin(), paths.end(), corpus.begin(), read);
    return corpus;
}

class Mutator {
public:
    explicit Mutator(const std::vector<Input>& corpus) : corpus_(corpus) {}

    Input next() {
        Input input = corpus_[below(corpus_.size())];
        for (std::size_t changes = 1 + below(4); changes > 0; changes--) {
            change(input);
        }
        input.resize(std::min(input.size(), kInputMax));
        return input;
    }

private:
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

    // Where a piece of at most `longest` octets of `input` begins and ends.
    std::pair<std::size_t, std::size_t> piece(const Input& input, std::size_t longest) {
        const std::size_t begin = below(input.size() + 1);
        const std::size_t length = below(std::min(longest, input.size() - begin) + 1);
        return {begin, begin + length};
    }

    void change(Input& input) {
        const std::size_t at = below(input.size());
        const auto place = [&](std::size_t i) {
            return input.begin() + static_cast<std::ptrdiff_t>(i);
        };
        switch (below(7)) {
        case 0: // one bit
            if (!input.empty()) {
                input[at] ^= static_cast<std::uint8_t>(1U << below(8));
            }
            break;
        case 1: { // an octet that often stands at an edge
            constexpr std::uint8_t kEdges[] = {0,   1,   0x7f, 0x80, 0xff, ' ', '\n', '"', '{', '}',
                                               ',', '-', '/',  '@',  ':',  '0', '9',  '[', ']'};
            if (!input.empty()) {
                input[at] = kEdges[below(std::size(kEdges))];
            }
            break;
        }
        case 2: { // a piece goes
            const auto [begin, end] = piece(input, 32);
            input.erase(place(begin), place(end));
            break;
        }
        case 3: { // a piece is said twice
            const auto [begin, end] = piece(input, 64);
            const Input copy(place(begin), place(end));
            input.insert(place(below(input.size() + 1)), copy.begin(), copy.end());
            break;
        }
        case 4:
        case 5: { // a piece of another input comes in: words of the language, in a wrong place
            const Input& other = corpus_[below(corpus_.size())];
            const auto [begin, end] = piece(other, 48);
            input.insert(place(below(input.size() + 1)),
                         other.begin() + static_cast<std::ptrdiff_t>(begin),
                         other.begin() + static_cast<std::ptrdiff_t>(end));
            break;
        }
        default: // the end is cut off
            input.resize(below(input.size() + 1));
            break;
        }
    }

    const std::vector<Input>& corpus_;
    std::mt19937 random_{kSeed};
};

void run(Input input) {
    current = std::move(input);
    LLVMFuzzerTestOneInput(current.data(), current.size());
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGABRT, on_abort);
    if (LLVMFuzzerInitialize != nullptr) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s CORPUS RUNS | FILE...\n", argv[0]);
        return 2;
    }
    if (!std::filesystem::is_directory(argv[1])) {
        std::for_each(argv + 1, argv + argc, [](const char* path) { run(read(path)); });
        return 0;
    }
    const std::vector<Input> corpus = read_corpus(argv[1]);
    std::size_t runs = 0;
    const char* const end = argc == 3 ? argv[2] + std::strlen(argv[2]) : nullptr;
    if (corpus.empty() || end == nullptr || std::from_chars(argv[2], end, runs).ptr != end) {
        std::fprintf(stderr, "%s: expected a folder with files, and a number of runs\n", argv[0]);
        return 2;
    }
    std::for_each(corpus.begin(), corpus.end(), run);
    Mutator mutator(corpus);
    for (std::size_t i = 0; i < runs; i++) {
        run(mutator.next());
    }
    std::printf("%zu inputs of the corpus and %zu mutations: no promise broken\n", corpus.size(),
                runs);
    return 0;
}
