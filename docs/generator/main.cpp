// Writes the generated pages of the reference into a folder. Runs in the project's root:
// weir_reference docs/reference
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "pages.h"

namespace weir::docs {

std::string cell(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '|' ? "\\|" : std::string(1, c);
    }
    return escaped;
}

std::string source(const std::string& name) {
    std::ifstream file(name);
    if (!file) {
        std::fprintf(stderr, "weir_reference: cannot read %s: run it in the project's root\n",
                     name.c_str());
        std::exit(1);
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace weir::docs

int main(int argc, char** argv) {
    using namespace weir::docs;
    struct Page {
        const char* name;
        std::string (*make)();
    };
    constexpr Page kPages[] = {{"commands", commands_page},
                               {"reasons", reasons_page},
                               {"packet-classes", classes_page},
                               {"maps", maps_page},
                               {"scenarios", scenarios_page},
                               {"limits", limits_page}};
    if (argc != 2) {
        std::fprintf(stderr, "usage: weir_reference FOLDER\n");
        return 2;
    }
    for (const Page& page : kPages) {
        const std::string path = std::string(argv[1]) + "/" + page.name + ".md";
        std::ofstream file(path);
        file << "<!-- Generated: cmake --build build/release --target reference -->\n"
             << page.make();
        if (!file.flush()) {
            std::fprintf(stderr, "weir_reference: cannot write %s\n", path.c_str());
            return 1;
        }
    }
    return 0;
}
