#include <fmt/format.h>
#include <set>

#include "verbs/all.h"
#include "verbs/hooks.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

// Every interface in Weir's table, those that have vanished too.
Result<std::set<std::string>> attached_devices(const kernel::Node& node) {
    WEIR_TRY(const auto attachments, kernel::attachments(node));
    std::set<std::string> devices;
    for (const kernel::Attachment& attachment : attachments) {
        devices.insert(attachment.device);
    }
    return devices;
}

Result<> run_detach(const po::variables_map& options, const Words& words, Context& cx) {
    const bool all = options.count("all") > 0;
    WEIR_CHECK(at_most(words, all ? 0 : 1));
    WEIR_TRY(const auto hooks, parse_hooks(options));
    std::set<std::string> devices;
    if (!all) {
        WEIR_TRY(const auto device, operand(words, 0, "DEV (or --all)"));
        devices.insert(device);
    }
    WEIR_TRY(auto session, open_session(cx, kernel::Lock::Mode::kExclusive));
    if (all) {
        WEIR_TRY(devices, attached_devices(session.node));
    }
    for (const std::string& device : devices) {
        WEIR_CHECK(kernel::detach(session.node, device, hooks));
    }
    cx.out.text(devices.empty() ? "nothing is attached\n"
                                : fmt::format("detached from {}\n",
                                              join({devices.begin(), devices.end()}, ", ")));
    cx.out.document({{"detached", devices}});
    return {};
}

void add_detach_options(po::options_description& add) {
    add.add_options()("all", "from every interface");
    add_hook_option(add, "only these: xdp, tc-ingress, tc-egress [all of them]");
}

} // namespace

const Verb detach{.path = "detach",
                  .operands = "DEV",
                  .summary = "detach the programs from an interface",
                  .details =
                      R"(Programs of others on the same interface stay. The counters stay until
`weir unload`.

  weir detach eth0 --hook tc-egress
  weir detach --all
)",
                  .options = add_detach_options,
                  .run = run_detach};

} // namespace weir::verbs
