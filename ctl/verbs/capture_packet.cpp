#include "verbs/capture_packet.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <net/if.h>

#include "kernel/pins.h"
#include "text/frame_text.h"
#include "text/rule_text.h"
#include "verbs/hooks.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

constexpr std::uint32_t kTagLength = 4;

// Who named the backend.
const char* chosen(const capture_record& record) {
    return record.by_ring == 0 ? "by its flow"
           : record.new_flow != 0 ? "by the ring, a new flow" : "by the ring";
}

} // namespace

const std::vector<std::string_view>& xdp_action_names() {
    static const std::vector<std::string_view> names = {"aborted", "drop", "pass", "tx",
                                                        "redirect"};
    return names;
}

Result<> CaptureWords::follow(const kernel::Node& node) {
    WEIR_TRY(const auto live, read_live(node));
    Generation now{.number = live.generation};
    for (const auto chain : {model::ChainName::kIngress, model::ChainName::kEgress}) {
        for (const model::Rule& rule : live.saved.config.chain(chain).rules) {
            now.rules[rule.slot] = {chain, rule.handle, text::print(rule)};
        }
    }
    for (const model::Service& service : live.saved.config.balancer.services) {
        NamedService& named = now.services[service.slot];
        named.key = service.key.to_string();
        for (const model::Backend& backend : service.backends) {
            named.backends[backend.slot] = backend.address.to_string();
        }
    }
    keep(std::move(now));
    WEIR_TRY(const auto entries, node.ifaces());
    for (const auto& [ifindex, entry] : entries) {
        devices_[ifindex] = interface_name(entry);
    }
    return {};
}

// Packets of the generation before may still be in the ring: it is kept, too.
void CaptureWords::keep(Generation generation) {
    constexpr std::size_t kKept = 2;
    std::erase_if(generations_,
                  [&](const Generation& each) { return each.number == generation.number; });
    generations_.insert(generations_.begin(), std::move(generation));
    generations_.resize(std::min(generations_.size(), kKept));
}

Result<> CaptureWords::keep_up(const kernel::Node& node) {
    WEIR_TRY(const auto live, node.live_number());
    if (!generations_.empty() && generations_.front().number == live) {
        return {};
    }
    const auto lock = kernel::Lock::take(cx_.pins, kernel::Lock::Mode::kShared);
    return lock ? follow(node) : Result<>{};
}

void CaptureWords::look(const kernel::Node& node, const capture_record& record) {
    if (find(record.generation) != nullptr) {
        return;
    }
    (void)keep_up(node);
    if (find(record.generation) == nullptr) {
        keep({.number = record.generation}); // superseded: nobody knows its rules
    }
}

const CaptureWords::Generation* CaptureWords::find(std::uint64_t number) const {
    const auto found =
        std::find_if(generations_.begin(), generations_.end(),
                     [&](const Generation& each) { return each.number == number; });
    return found == generations_.end() ? nullptr : &*found;
}

std::optional<model::Slot> CaptureWords::slot_of(model::Handle handle) const {
    for (const auto& [slot, rule] : generations_.front().rules) {
        if (rule.handle == handle) {
            return slot;
        }
    }
    return std::nullopt;
}

std::optional<model::Handle> CaptureWords::handle(const capture_record& record) const {
    const NamedRule* named = rule(record);
    return named != nullptr ? std::optional(named->handle) : std::nullopt;
}

std::string CaptureWords::device(std::uint32_t ifindex) const {
    const auto known = devices_.find(ifindex);
    if (known != devices_.end()) {
        return known->second;
    }
    std::array<char, IF_NAMESIZE> name{};
    return ::if_indextoname(ifindex, name.data()) != nullptr ? std::string(name.data())
                                                             : fmt::format("if{}", ifindex);
}

std::string CaptureWords::verdict(const capture_record& record) const {
    if (record.verdict < VERDICT_COUNT) {
        return std::string(model::name(static_cast<enum verdict>(record.verdict)));
    }
    return std::string(record.action < xdp_action_names().size() ? xdp_action_names()[record.action]
                                                                 : "unknown");
}

const CaptureWords::NamedRule* CaptureWords::rule(const capture_record& record) const {
    const Generation* judge = find(record.generation);
    if (record.rule == CAPTURE_NO_RULE || judge == nullptr) {
        return nullptr;
    }
    const auto found = judge->rules.find(record.rule);
    return found == judge->rules.end() ? nullptr : &found->second;
}

const CaptureWords::NamedService* CaptureWords::service(const capture_record& record) const {
    const Generation* judge = find(record.generation);
    if (record.service == CAPTURE_NO_SERVICE || judge == nullptr) {
        return nullptr;
    }
    const auto found = judge->services.find(record.service);
    return found == judge->services.end() ? nullptr : &found->second;
}

std::string CaptureWords::backend(const capture_record& record) const {
    const NamedService* named = service(record);
    if (named == nullptr) {
        return "";
    }
    const auto address = named->backends.find(record.backend);
    return address == named->backends.end()
               ? fmt::format("no backend of {}", named->key)
               : fmt::format("{} of {}, {}", address->second, named->key, chosen(record));
}

std::string CaptureWords::why(const capture_record& record) const {
    if (record.verdict >= VERDICT_COUNT) {
        return "";
    }
    const NamedRule* named = rule(record);
    return record.reason == REASON_RULE && named != nullptr
               ? fmt::format("rule {}", named->handle)
               : std::string(model::name(static_cast<enum reason>(record.reason)));
}

std::string CaptureWords::comment(const capture_record& record) const {
    if (record.verdict >= VERDICT_COUNT) {
        return fmt::format("verdict {}; program {}", verdict(record), program_);
    }
    const auto reason = static_cast<enum reason>(record.reason);
    std::string text = fmt::format("verdict {}; reason {}", verdict(record), model::name(reason));
    if (const auto meaning = model::meaning(reason); reason != REASON_RULE && !meaning.empty()) {
        text += fmt::format(" ({})", meaning);
    }
    if (const NamedRule* named = rule(record)) {
        text += fmt::format("; {} rule handle {}: {}", model::name(named->chain), named->handle,
                            named->text);
    }
    if (const std::string to = backend(record); !to.empty()) {
        text += "; backend " + to;
    }
    return text;
}

std::string CaptureWords::cause(const capture_record& record) const {
    if (const NamedRule* named = rule(record); named != nullptr && record.reason == REASON_RULE) {
        return fmt::format("Weir's {} rule with handle {} on {}: {}", model::name(named->chain),
                           named->handle, device(record.ifindex), named->text);
    }
    const auto reason = static_cast<enum reason>(record.reason);
    return fmt::format("Weir on {}, by {}: {}", device(record.ifindex), model::name(reason),
                       model::meaning(reason));
}

std::string CaptureWords::mend(const capture_record& record) const {
    if (const NamedRule* named = rule(record); named != nullptr && record.reason == REASON_RULE) {
        return fmt::format("`weir fw list` shows its place, `weir fw delete handle {}` deletes it",
                           named->handle);
    }
    return record.reason == REASON_POLICY
               ? "add a rule that accepts it: `weir fw add`"
               : "`weir explain` shows what Weir does with such a packet";
}

output::Json CaptureWords::json(const kernel::CapturedPacket& packet) const {
    const capture_record& record = packet.record;
    output::Json json{{"id", record.id},
                      {"device", device(record.ifindex)},
                      {"hook", hook_name(static_cast<hook>(record.hook))},
                      {"verdict", verdict(record)}};
    if (record.verdict < VERDICT_COUNT) {
        json["reason"] = model::name(static_cast<enum reason>(record.reason));
    } else {
        json["program"] = program_;
    }
    if (const NamedRule* named = rule(record)) {
        json["chain"] = model::name(named->chain);
        json["rule"] = named->handle;
    }
    if (const NamedService* named = service(record)) {
        const auto address = named->backends.find(record.backend);
        json["service"] = named->key;
        if (address != named->backends.end()) {
            json["backend"] = address->second;
            json["chosen_by"] = record.by_ring != 0 ? "ring" : "flow";
            json["new_flow"] = record.new_flow != 0;
        }
    }
    const auto side = [](std::span<const std::uint8_t> octets, std::uint32_t length,
                         std::uint32_t vlan) {
        return output::Json{
            {"length", length + (vlan != 0 ? kTagLength : 0)},
            {"packet", octets.empty() ? "" : text::frame_text(with_tag(octets, vlan))}};
    };
    json["entry"] = side(packet.entry, record.entry_len, record.entry_vlan);
    json["exit"] = side(packet.exit, record.exit_len, record.exit_vlan);
    json["ns"] = record.left - record.entered;
    return json;
}

std::vector<std::uint8_t> with_tag(std::span<const std::uint8_t> octets, std::uint32_t vlan) {
    constexpr std::ptrdiff_t kAddresses = 12;
    std::vector<std::uint8_t> frame(octets.begin(), octets.end());
    if (vlan != 0 && octets.size() >= kAddresses) {
        const std::array<std::uint8_t, kTagLength> tag = {
            static_cast<std::uint8_t>(vlan >> 24), static_cast<std::uint8_t>(vlan >> 16),
            static_cast<std::uint8_t>(vlan >> 8), static_cast<std::uint8_t>(vlan)};
        frame.insert(frame.begin() + kAddresses, tag.begin(), tag.end());
    }
    return frame;
}

} // namespace weir::verbs
