#include <array>

#include "text/config_balancer.h"
#include "text/config_text.h"
#include "text/config_tree.h"

namespace weir::text {
namespace {

// Where each thing of the document stands, for what only the whole document can contradict.
struct RulePlace {
    model::ChainName chain;
    std::size_t index;
    const Node* text;
};

class ConfigReader {
public:
    ConfigReader(const Tree& tree, std::vector<Warning>& warnings)
        : tree_(tree), warnings_(warnings) {}

    Parsed<model::Config> read();

private:
    Parsed<void> firewall(const Node& node);
    Parsed<void> chain(model::ChainName name, const Node& node);
    Parsed<void> rule(model::ChainName name, const Node& node);
    Parsed<void> packet_class(const Node& key, const Node& value);
    Parsed<void> set(const Node& key, const Node& value);
    Parsed<void> elements(model::Set& set, const Node& node);
    Parsed<void> check_rules() const;

    // A refusal of another parser, moved from the scalar's text to the document.
    TextError moved(const Node& scalar, TextError error) const;
    // Warnings from `first` on likewise.
    void move_warnings(const Node& scalar, std::size_t first);

    const Tree& tree_;
    std::vector<Warning>& warnings_;
    model::Config config_;
    std::vector<RulePlace> rules_;
};

// Where a parser of one line says "line 2", the document's place is not known.
Place place_in(const Tree& tree, const Node& scalar, Place place) {
    return place.line == 1 && place.column > 0
               ? tree.place_in(scalar, static_cast<std::size_t>(place.column - 1))
               : scalar.place;
}

Parsed<std::string> read_comment(const Node& node) {
    if (node.kind == Node::Kind::kNull) {
        return std::string();
    }
    WEIR_PARSE(std::string comment, read_scalar(node, "a comment"));
    if (std::string fault = model::comment_fault(comment); !fault.empty()) {
        return refuse(node, std::move(fault));
    }
    return comment;
}

TextError ConfigReader::moved(const Node& scalar, TextError error) const {
    error.place = place_in(tree_, scalar, error.place);
    return error;
}

void ConfigReader::move_warnings(const Node& scalar, std::size_t first) {
    for (std::size_t i = first; i < warnings_.size(); i++) {
        warnings_[i].place = place_in(tree_, scalar, warnings_[i].place);
    }
}

Parsed<void> ConfigReader::packet_class(const Node& key, const Node& value) {
    std::vector<std::string_view> classes;
    for (int i = 0; i < CLASS_COUNT; i++) {
        classes.push_back(model::name(static_cast<enum packet_class>(i)));
    }
    WEIR_PARSE(const std::size_t c, read_choice(key, "packet class", classes));
    std::vector<std::string_view> actions;
    for (const class_action action : {ACTION_FILTER, ACTION_ACCEPT, ACTION_DROP}) {
        actions.push_back(model::name(action));
    }
    WEIR_PARSE(const std::size_t action, read_choice(value, "action", actions));
    config_.class_actions[c] = static_cast<class_action>(action);
    return {};
}

Parsed<void> ConfigReader::rule(model::ChainName name, const Node& node) {
    if (node.kind == Node::Kind::kMap) {
        return refuse(node, "expected a rule, not a map: put quotes around a rule that contains "
                            "': '");
    }
    WEIR_PARSE(const std::string text, read_scalar(node, "a rule"));
    const std::size_t first_warning = warnings_.size();
    auto rule = parse_rule(text, warnings_);
    if (!rule) {
        return tl::unexpected(moved(node, std::move(rule).error()));
    }
    move_warnings(node, first_warning);
    std::vector<model::Rule>& rules = config_.chain(name).rules;
    rules_.push_back({name, rules.size(), &node});
    rules.push_back(*std::move(rule));
    return {};
}

Parsed<void> ConfigReader::chain(model::ChainName name, const Node& node) {
    const auto policy = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(const std::size_t word, read_choice(value, "policy", {"accept", "drop"}));
        config_.chain(name).policy = word == 0 ? model::Verdict::kAccept : model::Verdict::kDrop;
        return {};
    };
    const auto rules = [&](const Node& value) {
        return read_list(tree_, value, "rules", [&](const Node& item) { return rule(name, item); });
    };
    return read_map(tree_, node, model::name(name), {{"policy", policy}, {"rules", rules}});
}

Parsed<void> ConfigReader::firewall(const Node& node) {
    return read_map(
        tree_, node, "firewall",
        {{"ingress", [&](const Node& v) { return chain(model::ChainName::kIngress, v); }},
         {"egress", [&](const Node& v) { return chain(model::ChainName::kEgress, v); }},
         {"packets", [&](const Node& v) {
              return read_pairs(tree_, v, "packets", [&](const Node& key, const Node& value) {
                  return packet_class(key, value);
              });
          }}});
}

Parsed<void> ConfigReader::elements(model::Set& set, const Node& node) {
    std::vector<model::Interval> all;
    WEIR_PARSE_CHECK(read_list(tree_, node, "elements", [&](const Node& item) -> Parsed<void> {
        if (item.kind == Node::Kind::kMap) {
            return refuse(item, "expected an element, not a map: put quotes around an address "
                                "that ends in ':'");
        }
        WEIR_PARSE(const std::string text, read_scalar(item, "an element"));
        const std::size_t first_warning = warnings_.size();
        auto element = parse_element(set.type, text, warnings_);
        if (!element) {
            return tl::unexpected(moved(item, std::move(element).error()));
        }
        move_warnings(item, first_warning);
        all.push_back(*element);
        return {};
    }));
    set.elements = model::merged(std::move(all));
    return {};
}

Parsed<void> ConfigReader::set(const Node& key, const Node& value) {
    if (std::string fault = model::set_name_fault(key.text); !fault.empty()) {
        return refuse(key, std::move(fault));
    }
    const std::string what = "set '" + key.text + "'";
    model::Set set;
    set.name = key.text;
    bool typed = false;
    const auto read_type = [&](const Node& v) -> Parsed<void> {
        constexpr std::array kTypes = {model::SetType::kIpv4Addr, model::SetType::kIpv6Addr,
                                       model::SetType::kInetService};
        std::vector<std::string_view> names;
        for (const model::SetType type : kTypes) {
            names.push_back(model::name(type));
        }
        WEIR_PARSE(const std::size_t type, read_choice(v, "type", names));
        set.type = kTypes[type];
        typed = true;
        return {};
    };
    const auto read_set_comment = [&](const Node& v) -> Parsed<void> {
        WEIR_PARSE(set.comment, read_comment(v));
        return {};
    };
    const auto need_type = [&]() -> Parsed<void> {
        if (!typed) {
            return refuse(key, what + " has no type: expected ipv4_addr, ipv6_addr or "
                                      "inet_service");
        }
        return {};
    };
    WEIR_PARSE_CHECK(read_map(tree_, value, what,
                              {{"type", read_type},
                               {"comment", read_set_comment},
                               {"elements", [&](const Node& v) -> Parsed<void> {
                                    WEIR_PARSE_CHECK(need_type());
                                    return elements(set, v);
                                }}}));
    WEIR_PARSE_CHECK(need_type());
    config_.sets.emplace(set.name, std::move(set));
    return {};
}

// Sets may stand below the rules that name them.
Parsed<void> ConfigReader::check_rules() const {
    for (const RulePlace& place : rules_) {
        const model::Rule& rule = config_.chain(place.chain).rules[place.index];
        if (auto fault = model::contradiction(rule, place.chain, config_.sets)) {
            const std::size_t at = place.text->text.find(fault->word);
            return tl::unexpected(
                TextError{tree_.place_in(*place.text, at == std::string::npos ? 0 : at),
                          std::move(fault->message)});
        }
    }
    return {};
}

Parsed<model::Config> ConfigReader::read() {
    WEIR_PARSE_CHECK(
        read_map(tree_, tree_.root(), "the configuration",
                 {{"firewall", [&](const Node& v) { return firewall(v); }},
                  {"sets",
                   [&](const Node& v) {
                       return read_pairs(tree_, v, "sets", [&](const Node& key, const Node& value) {
                           return set(key, value);
                       });
                   }},
                  {"lb", [&](const Node& v) -> Parsed<void> {
                       WEIR_PARSE(config_.balancer, read_balancer(tree_, v, warnings_));
                       return {};
                   }}}));
    WEIR_PARSE_CHECK(check_rules());
    return std::move(config_);
}

} // namespace

Result<model::Config> parse_config(std::string_view yaml, std::string_view source,
                                   std::vector<Warning>& warnings) {
    const auto tree = Tree::parse(yaml);
    if (!tree) {
        return fail(to_error(tree.error(), source));
    }
    auto config = ConfigReader(*tree, warnings).read();
    if (!config) {
        return fail(to_error(config.error(), source));
    }
    return *std::move(config);
}

} // namespace weir::text
