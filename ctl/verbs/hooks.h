#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "kernel/attach.h"
#include "verbs/words.h"

namespace weir::verbs {

// In the order of enum hook and enum role.
inline constexpr std::array<std::string_view, HOOK_COUNT> kHookNames = {"xdp", "tc-ingress",
                                                                        "tc-egress"};
inline constexpr std::array<std::string_view, 3> kRoleNames = {"balancer", "filter", "decap"};

inline std::string_view hook_name(hook h) {
    return kHookNames[h];
}
inline std::string_view role_name(role r) {
    return kRoleNames[r];
}

Result<hook> parse_hook(std::string_view word);
// "--hook xdp,tc-egress --hook tc-ingress": a bit for each. 0 where the option is not given.
Result<std::uint32_t> parse_hooks(const po::variables_map& options);
void add_hook_option(po::options_description& add, const char* description);

// The name that an interface had when it was attached (iface.name_hi, name_lo).
std::string interface_name(const iface& entry);

output::Table attachment_table();
void add_row(output::Table& table, const kernel::Attachment& attachment);
output::Json attachment_json(const kernel::Attachment& attachment);

// An error that names what was attached and is no longer, by somebody else's hand or with its
// interface.
Result<> check_attached(const std::vector<kernel::Attachment>& attachments);

} // namespace weir::verbs
