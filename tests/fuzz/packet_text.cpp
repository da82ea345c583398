// Any octets as the description of a packet: refused with a place and words, or a frame.
#include <string_view>

#include "promise.h"
#include "text/packet_text.h"

using namespace weir;

namespace {

constexpr std::size_t kFrameMax = 1600; // headers, eight tags and the longest payload

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view given(reinterpret_cast<const char*>(data), size);
    const auto fields = text::parse_packet(given);
    if (!fields) {
        const text::TextError& error = fields.error();
        promise(error.place.line >= 1 && error.place.column >= 1 && !error.message.empty(),
                "a refusal has a place and words", std::string(given));
        return 0;
    }
    const auto frame = text::build_frame(*fields);
    promise(frame.size() >= 14 && frame.size() <= kFrameMax, "a frame has an Ethernet header",
            std::string(given));
    return 0;
}
