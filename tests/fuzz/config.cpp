// Any octets as a YAML configuration: refused with a message, or taken; and what is taken and sound
// survives export and apply, saving and loading, and compiles.
#include <string_view>

#include "compile/images.h"
#include "promise.h"
#include "text/config_text.h"

using namespace weir;

namespace {

// Small, so that the limits are met, and the look-up table of ports is the largest thing made.
const model::Limits kLimits{
    .nodes = 1024, .rules = 64, .set_elements = 512, .services = 3, .backends = 16, .flows = 64};

std::string differences(const model::Config& from, const model::Config& to) {
    std::string text;
    for (const text::Change& change : text::diff(from, to)) {
        text += change.sign + (" " + change.text) + "\n";
    }
    return text;
}

void export_and_apply(const model::Config& config) {
    const std::string printed = text::print_config(config);
    std::vector<text::Warning> warnings;
    const auto again = text::parse_config(printed, "export", warnings);
    promise(again.has_value(), "an export can be applied",
            printed + "\n" + (again ? "" : again.error().message()));
    const std::string changes = differences(config, *again);
    promise(changes.empty(), "apply(export()) changes nothing", printed + "\n" + changes);
    promise(warnings.empty(), "an export is canonical",
            printed + "\n" + (warnings.empty() ? "" : warnings[0].message));
    promise(text::print_config(*again) == printed, "exporting twice prints the same", printed);
}

void save_and_load(const model::Config& config, const model::Identities& ids) {
    const std::string saved = text::save_state({config, ids});
    const auto loaded = text::load_state(saved);
    promise(loaded.has_value(), "a saved state can be loaded",
            saved + "\n" + (loaded ? "" : loaded.error().message()));
    const std::string changes = differences(config, loaded->config);
    promise(changes.empty(), "a saved state says the same", saved + "\n" + changes);
    promise(text::save_state(*loaded) == saved, "saving twice writes the same", saved);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view given(reinterpret_cast<const char*>(data), size);
    std::vector<text::Warning> warnings;
    auto config = text::parse_config(given, "input", warnings);
    if (!config) {
        promise(config.error().message().starts_with("input:"), "a refusal names the file",
                config.error().message());
        return 0;
    }
    if (!model::check(*config, kLimits)) {
        return 0;
    }
    export_and_apply(*config);
    model::Identities ids;
    const auto fresh = model::assign_identities(*config, model::Config{}, {}, kLimits, ids);
    promise(fresh.has_value(), "what passed the check gets its handles", std::string(given));
    save_and_load(*config, ids);
    // Too many nodes is a refusal of its own; the sanitizers watch the rest.
    (void)compile::compile_firewall(*config, kLimits);
    (void)compile::compile_sets(*config);
    return 0;
}
