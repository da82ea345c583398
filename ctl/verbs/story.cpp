#include "verbs/story.h"

#include <array>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <optional>
#include <string_view>

#include "maps/generation.h"
#include "text/rule_text.h"
#include "verbs/hex.h"

namespace weir::verbs {
namespace {

using output::Json;

std::string action_name(kernel::Program program, std::uint32_t action) {
    static constexpr std::array<std::string_view, 5> kXdp = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS",
                                                             "XDP_TX", "XDP_REDIRECT"};
    if (program == kernel::Program::kIngress) {
        return action < kXdp.size() ? std::string(kXdp[action]) : fmt::format("XDP {}", action);
    }
    switch (static_cast<int>(action)) {
    case TC_ACT_UNSPEC:
        return "TC_ACT_UNSPEC";
    case TC_ACT_OK:
        return "TC_ACT_OK";
    case TC_ACT_SHOT:
        return "TC_ACT_SHOT";
    case TC_ACT_REDIRECT:
        return "TC_ACT_REDIRECT";
    default:
        return fmt::format("TC_ACT {}", static_cast<int>(action));
    }
}

struct NamedRule {
    model::ChainName chain;
    const model::Rule* rule;
};

std::optional<NamedRule> find_rule_by_slot(const model::Config& config, model::Slot slot) {
    for (const auto chain : {model::ChainName::kIngress, model::ChainName::kEgress}) {
        for (const model::Rule& rule : config.chain(chain).rules) {
            if (rule.slot == slot) {
                return NamedRule{chain, &rule};
            }
        }
    }
    return std::nullopt;
}

const model::Service* find_service_by_slot(const model::Config& config, model::Slot slot) {
    for (const model::Service& service : config.balancer.services) {
        if (service.slot == slot) {
            return &service;
        }
    }
    return nullptr;
}

std::string octets(std::size_t begin, std::size_t end) {
    return end - begin == 1 ? fmt::format("octet {}", begin)
                            : fmt::format("octets {}-{}", begin, end - 1);
}

// "octets 0-13 became octets 0-33": what the program rewrote.
std::string change_text(const Replaced& change) {
    if (change.in_begin == change.in_end) {
        return octets(change.out_begin, change.out_end) + " are new";
    }
    if (change.out_begin == change.out_end) {
        return octets(change.in_begin, change.in_end) + " were removed";
    }
    if (change.in_end == change.out_end) {
        return octets(change.in_begin, change.in_end) + " changed";
    }
    return fmt::format("{} became {}", octets(change.in_begin, change.in_end),
                       octets(change.out_begin, change.out_end));
}

// Writes both forms of a story line by line.
class Teller {
public:
    Teller(const model::Config& config, kernel::Program program,
           std::span<const std::uint8_t> frame, const kernel::TestRun& run)
        : config_(config), program_(program), frame_(frame), run_(run) {}

    Story tell() {
        line("input", fmt::format("{} octets", frame_.size()));
        story_.json["input"] = {{"length", frame_.size()}, {"hex", to_hex(frame_)}};
        tell_rule();
        tell_service();
        tell_verdict();
        tell_output();
        return std::move(story_);
    }

private:
    void line(std::string_view name, std::string_view value) {
        story_.text += fmt::format("{:<9}{}\n", fmt::format("{}:", name), value);
    }

    void tell_rule() {
        const auto found = find_rule_by_slot(config_, run_.why.rule);
        if (run_.why.rule == FW_NO_SLOT || !found) {
            line("rule", "none matched");
            story_.json["rule"] = nullptr;
            return;
        }
        const std::string text = text::print(*found->rule);
        line("rule", fmt::format("{} # handle {}, chain {}", text, found->rule->handle,
                                 model::name(found->chain)));
        story_.json["rule"] = {
            {"chain", model::name(found->chain)}, {"handle", found->rule->handle}, {"rule", text}};
    }

    void tell_service() {
        story_.json["service"] = nullptr;
        story_.json["backend"] = nullptr;
        story_.json["flow"] = nullptr;
        const auto* service = run_.why.service == NO_TABLE
                                  ? nullptr
                                  : find_service_by_slot(config_, run_.why.service);
        if (service == nullptr) {
            return;
        }
        line("service", service->key.to_string());
        story_.json["service"] = service->key.to_string();
        const auto* backend =
            run_.why.backend == NO_TABLE ? nullptr : service->backend_in(run_.why.backend);
        if (backend == nullptr) {
            return;
        }
        const bool known = run_.why.flow != 0;
        line("backend", fmt::format("{} ({})", backend->address.to_string(),
                                    known ? "from the flow table" : "chosen by the ring"));
        story_.json["backend"] = backend->address.to_string();
        story_.json["flow"] = known ? "table" : "ring";
    }

    void tell_verdict() {
        const std::string action = action_name(program_, run_.action);
        const std::string verdict(model::name(static_cast<enum verdict>(run_.why.verdict)));
        const auto why = static_cast<enum reason>(run_.why.reason);
        const std::string reason(model::name(why));
        line("verdict", fmt::format("{} ({})", verdict, action));
        line("reason", fmt::format("{}: {}", reason, model::meaning(why)));
        story_.json["verdict"] = verdict;
        story_.json["action"] = action;
        story_.json["reason"] = reason;
        story_.json["meaning"] = model::meaning(why);
    }

    void tell_output() {
        const auto changes = compare(frame_, run_.output);
        std::string text;
        Json list = Json::array();
        for (const Replaced& change : changes) {
            text += (text.empty() ? "" : ", ") + change_text(change);
            list.push_back({{"input", {change.in_begin, change.in_end}},
                            {"output", {change.out_begin, change.out_end}}});
        }
        line("output", fmt::format("{} octets, {}", run_.output.size(),
                                   changes.empty() ? "unchanged" : text));
        story_.text += hex_dump(run_.output);
        story_.json["output"] = {
            {"length", run_.output.size()}, {"hex", to_hex(run_.output)}, {"changes", list}};
    }

    const model::Config& config_;
    kernel::Program program_;
    std::span<const std::uint8_t> frame_;
    const kernel::TestRun& run_;
    Story story_;
};

} // namespace

Story tell_story(const model::Config& config, kernel::Program program,
                 std::span<const std::uint8_t> frame, const kernel::TestRun& run) {
    return Teller(config, program, frame, run).tell();
}

} // namespace weir::verbs
