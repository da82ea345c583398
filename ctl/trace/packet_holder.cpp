#include <fmt/format.h>

#include <array>
#include <string_view>

#include "trace/lowering.h"

namespace weir::trace {
namespace {

struct Holder {
    std::string_view structure; // an argument's, behind the pointer
    std::string_view field;     // of a record, where an address stands without a type
    trace_operation operation;
};
// A buffer says more than its socket.
constexpr std::array kHolders = {Holder{"sk_buff", "skbaddr", TRACE_PACKET},
                                 Holder{"xdp_buff", "", TRACE_FRAME},
                                 Holder{"sock", "skaddr", TRACE_SOCKET},
                                 // it begins as a sock does
                                 Holder{"request_sock", "", TRACE_SOCKET}};

} // namespace

std::optional<PacketHolder> packet_holder(const Scope& scope) {
    for (const Holder& holder : kHolders) {
        for (const auto& [name, id] : scope.arguments) {
            if (scope.types == nullptr || id == 0) {
                continue;
            }
            if (!scope.packet.empty() && name != scope.packet) {
                continue;
            }
            const kernel::BtfType pointer = scope.types->type(id);
            if (pointer.kind == kernel::BtfType::Kind::kPointer &&
                scope.types->type(pointer.target).name == holder.structure) {
                return PacketHolder{name, name, holder.operation};
            }
        }
        for (const RecordField& field : scope.record) {
            if (field.name == holder.field) {
                return PacketHolder{field.name,
                                    fmt::format("((struct {} *){})", holder.structure, field.name),
                                    holder.operation};
            }
        }
    }
    return std::nullopt;
}

} // namespace weir::trace
