#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/capture.h"
#include "model/config.h"
#include "verbs/verb.h"

// A captured packet in words.
namespace weir::verbs {

// What record numbers mean: rules and services by slot, and interfaces. Of a node, or of a program
// alone.
class CaptureWords {
public:
    explicit CaptureWords(const Context& cx) : cx_(cx) {}

    // Reads the live generation's rules and services, and the names that interfaces have in this
    // node.
    Result<> follow(const kernel::Node& node);
    // The same if another generation is in force than was read last.
    Result<> keep_up(const kernel::Node& node);
    void set_program(std::string name) { program_ = std::move(name); }
    // Reads the rules if those that judged this packet are not known.
    void look(const kernel::Node& node, const capture_record& record);

    // Where the rule with this handle is in the generation that was read last, if it is in there.
    std::optional<model::Slot> slot_of(model::Handle handle) const;
    // Of the rule that decided; none if there was none, or its generation ended before it was read.
    std::optional<model::Handle> handle(const capture_record& record) const;
    std::string device(std::uint32_t ifindex) const;
    std::string verdict(const capture_record& record) const; // "drop"; "XDP_DROP"
    // "rule 3", "truncated"; "" for other people's programs.
    std::string why(const capture_record& record) const;
    // "10.0.2.2 of 203.0.113.10:80/tcp, by its flow"; "" for what is for no service.
    std::string backend(const capture_record& record) const;
    // "drop by rule 3 (ingress): tcp dport 23 drop".
    std::string comment(const capture_record& record) const;
    // Of a drop, for a sentence, and what mends it.
    std::string cause(const capture_record& record) const;
    std::string mend(const capture_record& record) const;
    output::Json json(const kernel::CapturedPacket& packet) const;

private:
    struct NamedRule {
        model::ChainName chain{};
        model::Handle handle = 0;
        std::string text;
    };
    struct NamedService {
        std::string key;
        std::map<model::Slot, std::string> backends; // addresses
    };
    struct Generation {
        std::uint64_t number = 0;
        std::map<model::Slot, NamedRule> rules = {};
        std::map<model::Slot, NamedService> services = {};
    };
    void keep(Generation generation);
    const Generation* find(std::uint64_t number) const;
    const NamedRule* rule(const capture_record& record) const;
    // nullptr: it is for none, or its generation ended before it was read.
    const NamedService* service(const capture_record& record) const;

    const Context& cx_;
    std::string program_;
    std::vector<Generation> generations_; // what was read last is in front
    std::map<std::uint32_t, std::string> devices_;
};

// The names of XDP_*, in their order.
const std::vector<std::string_view>& xdp_action_names();

// A frame with the VLAN tag that the kernel kept beside it, where it belongs.
std::vector<std::uint8_t> with_tag(std::span<const std::uint8_t> octets, std::uint32_t vlan);

} // namespace weir::verbs
