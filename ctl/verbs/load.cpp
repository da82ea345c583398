#include <bit>
#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

// A size that can be set at load: the option, its limit, and the smallest value that works.
struct Size {
    const char* option;
    const char* what;
    std::uint32_t model::Limits::*limit;
    std::uint64_t least;
    std::uint64_t most;
};

// The greatest are what maps of kernel 6.1 hold in one piece or in sensible memory.
constexpr Size kSizes[] = {
    {"max-rules", "rules", &model::Limits::rules, 1, 1U << 20},
    {"max-nodes", "nodes of the compiled rules, a power of two", &model::Limits::nodes, 64,
     FW_NODES_LIMIT},
    {"max-set-elements", "set elements of a family, as prefixes", &model::Limits::set_elements, 1,
     1U << 24},
    {"max-services", "services", &model::Limits::services, 1, 1U << 16},
    {"max-backends", "backends of all services", &model::Limits::backends, 1, 1U << 18},
    {"max-buckets", "buckets of the rings of all services", &model::Limits::buckets, 1024, 1U << 24},
    {"max-flows", "flows that are tracked after a change", &model::Limits::flows, 64, 1U << 24},
};

Result<model::Limits> parse_load_limits(const po::variables_map& options) {
    model::Limits limits;
    for (const Size& size : kSizes) {
        if (options.count(size.option) == 0) {
            continue;
        }
        WEIR_TRY(const auto value,
                 parse_number(option_text(options, size.option), fmt::format("--{}", size.option),
                              size.least, size.most));
        limits.*size.limit = static_cast<std::uint32_t>(value);
    }
    if (!std::has_single_bit(limits.nodes)) {
        return usage(fmt::format("--max-nodes {}: must be a power of two; the next is {}",
                                 limits.nodes, std::bit_ceil(limits.nodes)));
    }
    if (!std::has_single_bit(limits.flows)) {
        return usage(fmt::format("--max-flows {}: must be a power of two; the next is {}",
                                 limits.flows, std::bit_ceil(limits.flows)));
    }
    return limits;
}

// What is loaded keeps its sizes: saying otherwise would be a lie.
Result<> same_sizes(const po::variables_map& options, const model::Limits& asked,
                    const model::Limits& loaded) {
    for (const Size& size : kSizes) {
        if (options.count(size.option) > 0 && asked.*size.limit != loaded.*size.limit) {
            return fail(fmt::format("already loaded with --{} {}: `weir unload`, then load again",
                                    size.option, loaded.*size.limit));
        }
    }
    return {};
}

Result<> run_load(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(const auto limits, parse_load_limits(options));
    WEIR_CHECK(cx.pins.prepare());
    WEIR_TRY(const auto lock, kernel::Lock::take(cx.pins, kernel::Lock::Mode::kExclusive));
    WEIR_TRY(const bool loaded, kernel::load(cx.pins, limits));
    WEIR_TRY(auto node, kernel::Node::open(cx.pins));
    WEIR_CHECK(same_sizes(options, limits, node.limits()));
    // Also where a former load was killed before it came to this.
    WEIR_TRY(const auto generations, node.generations());
    if (generations.empty()) {
        WEIR_CHECK(publish_empty(node));
    }
    cx.out.text(loaded ? fmt::format("loaded, pinned under {}\n", cx.pins.root().string())
                       : "already loaded\n");
    cx.out.document({{"loaded", loaded}, {"pins", cx.pins.root().string()}});
    return {};
}

void add_load_options(po::options_description& add) {
    const model::Limits defaults;
    for (const Size& size : kSizes) {
        add.add_options()(
            size.option, po::value<std::string>()->value_name("N"),
            fmt::format("room for N {} [{}]", size.what, defaults.*size.limit).c_str());
    }
}

} // namespace

const Verb load{.path = "load",
                .operands = "",
                .summary = "load the programs and maps into the kernel",
                .details =
                    R"(Nothing is attached, and nothing is filtered or balanced yet. Loading what is
loaded already changes nothing. The sizes cannot be changed later without `weir unload`.

  weir load --max-rules 65536
)",
                .options = add_load_options,
                .run = run_load};

} // namespace weir::verbs
