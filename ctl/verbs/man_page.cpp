#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "verbs/command_line.h"
#include "verbs/help.h"

namespace weir::verbs {
namespace {

// Text for man(7): no word of it is taken for a request or an escape.
std::string roff(std::string_view text) {
    std::string out;
    bool at_start = true;
    for (const char c : text) {
        if (at_start && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
        at_start = c == '\n';
    }
    return out;
}

// A paragraph as it stands; the lines that begin with blanks are examples and keep their form.
std::string paragraphs(std::string_view text) {
    std::string out;
    bool literal = false;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        const bool example = line.starts_with(' ');
        if (example != literal) {
            out += example ? ".nf\n" : ".fi\n";
            literal = example;
        }
        out += line.empty() ? ".sp\n" : roff(line) + "\n";
        text = end == std::string_view::npos ? "" : text.substr(end + 1);
    }
    return literal ? out + ".fi\n" : out;
}

std::string option_list(const po::options_description& options) {
    std::string out;
    for (const auto& option : options.options()) {
        out += fmt::format(".TP\n.B {}\n{}\n", roff(option_usage(*option)),
                           roff(option->description()));
    }
    return out;
}

std::string verb_section(const Verb& verb) {
    std::string out = fmt::format(".SS \"weir {} {}\"\n{}.\n.sp\n", verb.path, roff(verb.operands),
                                  roff(verb.summary));
    return out + paragraphs(details_of(verb)) + option_list(options_of(verb));
}

constexpr std::string_view kEnd = R"(.SH EXIT STATUS
0: done. 1: refused by the system. 2: wrong usage.
A reader of the output that leaves early (as head does) is no error.
.SH ENVIRONMENT
.TP
.B WEIR_PINS
Directory of the pinned state, unless \-\-pins says another.
.SH FILES
.TP
.I /sys/fs/bpf/weir
The state: programs, maps and links. One directory is one independent Weir, for instance one for each
network namespace.
.TP
.I /etc/weir/weir.yaml
What the unit weir.service applies at boot.
.SH SEE ALSO
.BR nft (8),
.BR ip (8),
.BR bpftool (8),
.BR xdp\-loader (8)
)";

} // namespace

std::string man_page() {
    std::string out =
        ".TH WEIR 8 \"\" \"weir " WEIR_VERSION "\" \"System administration\"\n"
        ".SH NAME\nweir \\- filter, count and balance packets by XDP and TC\n"
        ".SH SYNOPSIS\n.B weir\n[\\fIOPTION\\fR]... \\fIVERB\\fR [\\fIWORD\\fR]...\n"
        ".SH DESCRIPTION\n"
        "Weir attaches programs to network interfaces that filter packets by rules, "
        "balance services over backends and count everything. The kernel holds all "
        "state; no daemon runs. Every change is made beside what is in force and then "
        "takes its place in one step.\n.SH OPTIONS\n";
    po::options_description globals;
    add_global_options(globals);
    out += option_list(globals);
    for (const VerbGroup& group : verb_groups()) {
        std::string title(group.title);
        std::transform(title.begin(), title.end(), title.begin(),
                       [](unsigned char c) { return std::toupper(c); });
        out += fmt::format(".SH {}\n", title);
        for (const Verb* verb : group.verbs) {
            out += verb_section(*verb);
        }
    }
    return out + std::string(kEnd);
}

} // namespace weir::verbs
