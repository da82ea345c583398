// Any octets as an expression, or a list of them: read, or refused at a place that exists.
#include <string_view>

#include "promise.h"
#include "trace/expression.h"

using namespace weir;

namespace {

void promise_place(const text::TextError& error, std::string_view given) {
    promise(error.place.column >= 1 &&
                static_cast<std::size_t>(error.place.column) <= given.size() + 1 &&
                !error.message.empty(),
            "a refusal has a place and words", std::string(given));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view given(reinterpret_cast<const char*>(data), size);
    if (const auto one = trace::parse_expression(given); !one) {
        promise_place(one.error(), given);
    }
    const auto list = trace::parse_list(given);
    if (!list) {
        promise_place(list.error(), given);
        return 0;
    }
    for (const auto& each : *list) {
        promise(trace::parse_expression(each.name).has_value(), "a part's words are read again",
                std::string(given));
    }
    return 0;
}
