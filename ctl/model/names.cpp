#include "model/config.h"

namespace weir::model {
namespace {

constexpr std::array<std::string_view, CLASS_COUNT> kClassNames = {
#define X(enumerator, name, action, reason) name,
    WEIR_PACKET_CLASSES(X)
#undef X
};

constexpr std::array<std::string_view, REASON_COUNT> kReasonNames = {
#define X(enumerator, name, text) name,
    WEIR_REASONS(X)
#undef X
};

constexpr std::array<std::string_view, REASON_COUNT> kReasonMeanings = {
#define X(enumerator, name, text) text,
    WEIR_REASONS(X)
#undef X
};

// In the order of enum class_action and enum verdict.
constexpr std::array<std::string_view, 3> kActionNames = {"filter", "accept", "drop"};
constexpr std::array<std::string_view, VERDICT_COUNT> kVerdictNames = {"pass", "send", "redirect",
                                                                       "drop"};

// Numbers from maps may come from anywhere: what is out of range is "unknown".
template <std::size_t N>
std::string_view at(const std::array<std::string_view, N>& names, std::size_t index) {
    return index < N ? names[index] : "unknown";
}

template <typename Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
    for (std::size_t i = 0; i < N; i++) {
        if (names[i] == name) {
            return static_cast<Enum>(i);
        }
    }
    return std::nullopt;
}

} // namespace

std::string_view name(packet_class c) {
    return at(kClassNames, c);
}
std::string_view name(class_action a) {
    return at(kActionNames, a);
}
std::string_view name(reason r) {
    return at(kReasonNames, r);
}
std::string_view meaning(reason r) {
    return r < kReasonMeanings.size() ? kReasonMeanings[r] : "";
}
std::string_view name(verdict v) {
    return at(kVerdictNames, v);
}

std::optional<packet_class> find_class(std::string_view name) {
    return find<packet_class>(kClassNames, name);
}

std::optional<class_action> find_action(std::string_view name) {
    return find<class_action>(kActionNames, name);
}

std::array<class_action, CLASS_COUNT> default_class_actions() {
    return {
#define X(enumerator, name, action, reason) action,
        WEIR_PACKET_CLASSES(X)
#undef X
    };
}

} // namespace weir::model
