#include "verbs/hooks.h"

namespace weir::verbs {

Result<hook> parse_hook(std::string_view word) {
    WEIR_TRY(const auto choice, parse_choice(word, "hook", {kHookNames.begin(), kHookNames.end()}));
    return static_cast<hook>(choice);
}

Result<std::uint32_t> parse_hooks(const po::variables_map& options) {
    std::uint32_t hooks = 0;
    if (options.count("hook") == 0) {
        return hooks;
    }
    for (const std::string& list : options["hook"].as<std::vector<std::string>>()) {
        std::string_view rest = list;
        while (true) {
            const std::size_t comma = rest.find(',');
            WEIR_TRY(const hook h, parse_hook(rest.substr(0, comma)));
            hooks |= 1U << h;
            if (comma == std::string_view::npos) {
                break;
            }
            rest.remove_prefix(comma + 1);
        }
    }
    return hooks;
}

void add_hook_option(po::options_description& add, const char* description) {
    add.add_options()("hook", po::value<std::vector<std::string>>()->value_name("HOOK[,HOOK...]"),
                      description);
}

std::string interface_name(const iface& entry) {
    std::string name;
    for (const std::uint64_t half : {entry.name_hi, entry.name_lo}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            name += static_cast<char>(half >> shift & 0xff);
        }
    }
    return name.substr(0, name.find('\0'));
}

output::Table attachment_table() {
    return output::Table({{"interface"},
                          {"hook"},
                          {"mode"},
                          {"sharing"},
                          {"role"},
                          {"program", output::Align::kRight},
                          {"others on the hook"}});
}

void add_row(output::Table& table, const kernel::Attachment& attachment) {
    table.row({attachment.device, std::string(hook_name(attachment.at)),
               attachment.missing ? "gone" : attachment.mode,
               attachment.sharing.empty() ? "-" : attachment.sharing,
               std::string(role_name(attachment.as)),
               attachment.program_id == 0 ? "-" : std::to_string(attachment.program_id),
               attachment.others.empty() ? "-" : join(attachment.others, ", ")});
}

output::Json attachment_json(const kernel::Attachment& attachment) {
    return {{"name", attachment.device},        {"ifindex", attachment.ifindex},
            {"hook", hook_name(attachment.at)}, {"mode", attachment.mode},
            {"sharing", attachment.sharing},    {"role", role_name(attachment.as)},
            {"program", attachment.program_id}, {"others", attachment.others},
            {"missing", attachment.missing}};
}

Result<> check_attached(const std::vector<kernel::Attachment>& attachments) {
    Words gone;
    for (const kernel::Attachment& attachment : attachments) {
        if (attachment.readdressed && attachment.at == HOOK_XDP) {
            return fail(attachment.device + " has another MAC address than when it was attached, and "
                        "balances no frame to the new one: `weir attach " + attachment.device +
                        "` once more");
        }
        if (attachment.missing) {
            gone.push_back(attachment.device + " " + std::string(hook_name(attachment.at)));
        }
    }
    if (!gone.empty()) {
        return fail("attached once, and gone: " + join(gone, ", ") +
                    "; `weir attach` attaches it again, `weir detach` forgets it");
    }
    return {};
}

} // namespace weir::verbs
