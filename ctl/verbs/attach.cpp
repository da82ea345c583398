#include "verbs/all.h"
#include "verbs/hooks.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

Result<kernel::AttachRequest> parse_request(const po::variables_map& options, const Words& words) {
    kernel::AttachRequest request;
    WEIR_TRY(request.device, operand(words, 0, "DEV"));
    WEIR_TRY(const auto hooks, parse_hooks(options));
    request.hooks = hooks == 0 ? request.hooks : hooks;
    WEIR_CHECK(at_most(words, 1));
    if (options.count("mode") > 0) {
        WEIR_TRY(const auto mode,
                 parse_choice(option_text(options, "mode"), "mode", {"auto", "native", "generic"}));
        request.mode = static_cast<kernel::XdpMode>(mode);
    }
    if (options.count("role") > 0) {
        WEIR_TRY(const auto as, parse_choice(option_text(options, "role"), "role",
                                             {kRoleNames.begin(), kRoleNames.end()}));
        request.as = static_cast<role>(as);
    }
    request.exclusive = options.count("exclusive") > 0;
    return request;
}

Result<> run_attach(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto request, parse_request(options, words));
    WEIR_TRY(auto session, open_session(cx, kernel::Lock::Mode::kExclusive));
    WEIR_TRY(const auto report, kernel::attach(session.node, request));
    for (const std::string& warning : report.warnings) {
        output::warn(warning);
    }
    output::Table table = attachment_table();
    output::Json attached = output::Json::array();
    for (const kernel::Attachment& attachment : report.attached) {
        add_row(table, attachment);
        attached.push_back(attachment_json(attachment));
    }
    cx.out.text(table.to_string());
    cx.out.document({{"attached", attached}, {"warnings", report.warnings}});
    return {};
}

void add_attach_options(po::options_description& add) {
    add.add_options()("mode", po::value<std::string>()->value_name("auto|native|generic"),
                      "where XDP runs; auto takes generic where the driver has no native [auto]")(
        "exclusive", "XDP alone on the interface, without libxdp's dispatcher")(
        "role", po::value<std::string>()->value_name("balancer|filter|decap"),
        "what packets that come in here meet [balancer]");
    add_hook_option(add, "xdp, tc-ingress, tc-egress [xdp,tc-ingress]");
}

} // namespace

const Verb attach{
    .path = "attach",
    .operands = "DEV",
    .summary = "attach the programs to an interface",
    .details =
        R"(Prints how it is attached; attaching once more the same changes nothing. The XDP
hook filters and balances what comes in, and shares the interface with other XDP programs where the
kernel allows it. TC ingress filters what XDP did not see, and sends what waits for a neighbour's
address. TC egress filters what goes out. Interfaces without Ethernet headers take TC alone.

  weir attach eth0
  weir attach eth1 --mode generic --hook xdp,tc-egress
  weir attach eth0 --role decap
)",
    .options = add_attach_options,
    .run = run_attach};

} // namespace weir::verbs
