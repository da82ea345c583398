#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "text/lexer.h"
#include "trace/lowering.h"

// What a name stands for: an argument, a field, what is known everywhere, what a packet has.
namespace weir::trace {
namespace {

using kernel::BtfType;
using text::Parsed;
using Kind = Expression::Kind;
using Where = Value::Where;

struct Builtin {
    std::string_view name;
    trace_context context;
    Shape shape;
};
constexpr std::array kBuiltins = {Builtin{"pid", CONTEXT_PID, Shape::kUnsigned},
                                  Builtin{"self_pid", CONTEXT_PID, Shape::kUnsigned},
                                  Builtin{"tid", CONTEXT_TID, Shape::kUnsigned},
                                  Builtin{"uid", CONTEXT_UID, Shape::kUnsigned},
                                  Builtin{"cpu", CONTEXT_CPU, Shape::kUnsigned},
                                  Builtin{"cgroup", CONTEXT_CGROUP, Shape::kUnsigned},
                                  Builtin{"time", CONTEXT_NOW, Shape::kUnsigned},
                                  Builtin{"func", CONTEXT_FUNCTION, Shape::kFunction},
                                  Builtin{"stack", CONTEXT_STACK, Shape::kKernelStack},
                                  Builtin{"ustack", CONTEXT_USER_STACK, Shape::kUserStack}};
// Of what was closed.
constexpr std::array kClosed = {Builtin{"elapsed", CONTEXT_ELAPSED, Shape::kUnsigned},
                                Builtin{"saved_pid", CONTEXT_SAVED_PID, Shape::kUnsigned},
                                Builtin{"saved_tid", CONTEXT_SAVED_TID, Shape::kUnsigned}};
constexpr std::array kPacketNumbers = {Builtin{"sport", CONTEXT_SPORT, Shape::kUnsigned},
                                       Builtin{"dport", CONTEXT_DPORT, Shape::kUnsigned},
                                       Builtin{"protocol", CONTEXT_PROTOCOL, Shape::kUnsigned},
                                       Builtin{"family", CONTEXT_FAMILY, Shape::kUnsigned}};
constexpr std::array<std::string_view, 2> kAddresses = {"saddr", "daddr"};
// packet_saddr is the packet's also where an argument is called saddr.
constexpr std::string_view kOfPacket = "packet_";
// What a packet's buffer leads to.
struct OfPacket {
    std::string_view name;
    const char* buffer; // from a struct sk_buff
    const char* frame;  // from a struct xdp_buff; nullptr: it has none
};
constexpr std::array kOfPackets = {
    OfPacket{"dev", "dev->name", "rxq->dev->name"},
    OfPacket{"netns", "dev->nd_net.net->ns.inum", "rxq->dev->nd_net.net->ns.inum"},
    OfPacket{"mark", "mark", nullptr}};

template <typename Table>
const Builtin* find_builtin(const Table& table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const Builtin& each) { return each.name == name; });
    return found == table.end() ? nullptr : &*found;
}

// "arg3" is number 3 of the args.
bool is_numbered(std::string_view word, std::string_view of, unsigned& number) {
    const char* end = word.data() + word.size();
    return word.size() > of.size() && word.starts_with(of) &&
           std::from_chars(word.data() + of.size(), end, number).ptr == end;
}

} // namespace

// --- names --------------------------------------------------------------------------------------

Parsed<Value> Lowering::name(const Expression& expression) {
    const auto argument_at =
        std::find_if(scope_.arguments.begin(), scope_.arguments.end(),
                     [&](const auto& each) { return each.first == expression.text; });
    if (argument_at != scope_.arguments.end()) {
        const auto index = static_cast<std::size_t>(argument_at - scope_.arguments.begin());
        return scope_.placed ? placed(expression, (*scope_.placed)[index]) : argument(index);
    }
    for (const RecordField& field : scope_.record) {
        if (field.name == expression.text) {
            return record(field);
        }
    }
    unsigned position = 0;
    const std::string_view word = expression.text;
    if (is_numbered(word, "arg", position) && scope_.placed) {
        return refuse(expression,
                      fmt::format("'{}': {} has {} argument{}", word, scope_.of,
                                  scope_.placed->size(), scope_.placed->size() == 1 ? "" : "s"));
    }
    if (is_numbered(word, "arg", position)) {
        if (position >= TRACE_ARGUMENTS) {
            return refuse(expression, fmt::format("'{}': arguments are arg0 to arg{}", word,
                                                  TRACE_ARGUMENTS - 1));
        }
        step(TRACE_ARGUMENT, static_cast<std::uint16_t>(position));
        return Value{.shape = Shape::kHexadecimal, .user = scope_.user};
    }
    return builtin(expression);
}

Parsed<Value> Lowering::argument(std::size_t index) {
    step(TRACE_ARGUMENT, static_cast<std::uint16_t>(index));
    const std::uint32_t id = scope_.arguments[index].second;
    if (scope_.types == nullptr || id == 0) {
        return Value{.shape = Shape::kHexadecimal, .user = scope_.user};
    }
    Value value = in_register(scope_.types->type(id));
    if (scope_.arguments[index].first == "location") { // of skb:kfree_skb: who called it
        value.shape = Shape::kFunction;
    }
    return value;
}

Parsed<Value> Lowering::placed(const Expression& expression, const PlacedArgument& argument) {
    if (!argument.unknown.empty()) {
        return refuse(expression, fmt::format("'{}' is kept in '{}', which cannot be read here",
                                              expression.text, argument.unknown));
    }
    auto& steps = builder_.steps_;
    steps.insert(steps.end(), argument.steps.begin(), argument.steps.end());
    // What is as wide as an address may be one.
    return Value{.shape = argument.is_signed      ? Shape::kSigned
                          : argument.size < kWord ? Shape::kUnsigned
                                                  : Shape::kHexadecimal,
                 .user = scope_.user};
}

Value Lowering::in_register(const BtfType& type) {
    if (type.size > 0 && type.size < kWord) {
        const auto size = static_cast<std::uint8_t>(type.size);
        step(TRACE_BITS, 0, 0, static_cast<std::uint8_t>(8 * size));
        if (is_big_endian(type)) {
            step(TRACE_SWAP, 0, 0, size);
        } else if (type.is_signed) {
            step(TRACE_SIGN, 0, 0, size);
        }
    }
    return Value{.type = type, .shape = shape_of(type), .user = scope_.user};
}

Parsed<Value> Lowering::record(const RecordField& field) {
    step(TRACE_RECORD);
    Value value{.where = Where::kMemory, .offset = field.offset};
    switch (field.shape) {
    case RecordField::Shape::kText:
        value.span = field.size;
        return value;
    case RecordField::Shape::kDynamicText:
        step(TRACE_READ, 0, field.offset, 2);
        step(TRACE_RECORD);
        step(TRACE_ADD);
        value.offset = 0;
        value.span = TRACE_STRING_SIZE;
        return value;
    default:
        break;
    }
    value.type.kind = BtfType::Kind::kInteger;
    value.type.size = field.size;
    value.type.is_signed = field.is_signed;
    if (scope_.types != nullptr && field.type.starts_with("enum ")) {
        if (const auto id = scope_.types->enumeration(field.type.substr(5))) {
            value.type = scope_.types->type(*id);
        }
    } else if (field.type.ends_with('*')) {
        value.type.kind = BtfType::Kind::kPointer;
        // "const char * filename" of a system call is the process's.
        value.user = scope_.user;
        if (scope_.types != nullptr && field.type.find("char") != std::string::npos) {
            value.span = TRACE_STRING_SIZE;
        }
    }
    if (value.span > 0) { // a pointer to text: text at where it points
        step(TRACE_READ, 0, value.offset, kWord);
        value.offset = 0;
        value.type = {};
    }
    return value;
}

Parsed<Value> Lowering::builtin(const Expression& expression) {
    const std::string_view word = expression.text;
    if (const Builtin* known = find_builtin(kBuiltins, word)) {
        builder_.stacks_ |= known->context == CONTEXT_STACK        ? 1U
                            : known->context == CONTEXT_USER_STACK ? 2U
                                                                   : 0U;
        step(TRACE_CONTEXT, static_cast<std::uint16_t>(known->context));
        return Value{.shape = known->shape};
    }
    if (word == "comm") {
        return Value{.where = Where::kComm, .shape = Shape::kText};
    }
    if (word == "retval" && scope_.result) {
        step(TRACE_RESULT);
        if (!scope_.result_names.empty()) {
            BtfType type;
            type.kind = BtfType::Kind::kEnum;
            type.size = 4;
            type.is_signed = true; // TC_ACT_UNSPEC is -1
            Value verdict = in_register(type);
            verdict.names = &scope_.result_names;
            return verdict;
        }
        return in_register(scope_.types == nullptr ? BtfType{}
                                                   : scope_.types->type(*scope_.result));
    }
    if (unsigned which = 0; scope_.closes && is_numbered(word, "saved", which)) {
        step(TRACE_SAVED, static_cast<std::uint16_t>(which % TRACE_VALUES));
        return Value{.shape = Shape::kHexadecimal, .user = scope_.user};
    }
    if (const Builtin* closed = find_builtin(kClosed, word); closed != nullptr && scope_.closes) {
        step(TRACE_CONTEXT, static_cast<std::uint16_t>(closed->context));
        return Value{};
    }
    if (word == "saved_comm" && scope_.closes) {
        return Value{.where = Where::kSavedComm, .shape = Shape::kText};
    }
    return packet(expression);
}

// --- the packet ---------------------------------------------------------------------------------

Parsed<Value> Lowering::no_packet(const Expression& expression) const {
    if (scope_.result && scope_.arguments.empty()) {
        return refuse(expression,
                      fmt::format("'{}' is a packet's, and no argument of the function is "
                                  "seen here: at its return only fentry sees them",
                                  expression.text));
    }
    return refuse(expression,
                  fmt::format("'{}' is a packet's, but nothing here is one: no argument "
                              "is a struct sk_buff, sock or xdp_buff",
                              expression.text));
}

Parsed<Value> Lowering::packet(const Expression& expression) {
    std::string_view word = expression.text;
    if (word.starts_with(kOfPacket)) {
        word.remove_prefix(kOfPacket.size());
    }
    for (const OfPacket& each : kOfPackets) {
        if (each.name == word) {
            return of_packet(expression, each.buffer, each.frame);
        }
    }
    if (word == "packet") {
        const auto holder = packet_holder(scope_);
        return holder
                   ? number({.kind = Kind::kName, .text = holder->name, .place = expression.place})
                   : no_packet(expression);
    }
    const Builtin* known = find_builtin(kPacketNumbers, word);
    const bool address = std::find(kAddresses.begin(), kAddresses.end(), word) != kAddresses.end();
    if (known == nullptr && !address) {
        const auto value =
            scope_.types == nullptr ? std::nullopt : scope_.types->enumerator(expression.text);
        if (!value) {
            return unknown(expression);
        }
        step(TRACE_CONSTANT, 0, *value);
        return Value{.shape = Shape::kSigned};
    }
    WEIR_PARSE_CHECK(read_packet(expression));
    if (known != nullptr) {
        step(TRACE_CONTEXT, static_cast<std::uint16_t>(known->context));
        return Value{.shape = known->shape};
    }
    return Value{.where = word == "saddr" ? Where::kSource : Where::kDestination,
                 .shape = Shape::kAddress};
}

Parsed<void> Lowering::read_packet(const Expression& at) {
    if (builder_.packet_read_) {
        return {};
    }
    const auto holder = packet_holder(scope_);
    if (!holder) {
        return tl::unexpected(no_packet(at).error());
    }
    WEIR_PARSE_CHECK(number({.kind = Kind::kName, .text = holder->name, .place = at.place}));
    step(holder->operation);
    builder_.packet_read_ = true;
    return {};
}

Parsed<void> Lowering::in_flow(std::uint16_t flow, const Expression& at) {
    WEIR_PARSE_CHECK(read_packet(at));
    step(TRACE_FLOW, flow);
    return {};
}

Parsed<Value> Lowering::of_packet(const Expression& expression, const char* buffer,
                                  const char* frame) {
    const auto holder = packet_holder(scope_);
    const char* members = !holder                             ? nullptr
                          : holder->operation == TRACE_PACKET ? buffer
                          : holder->operation == TRACE_FRAME  ? frame
                                                              : nullptr;
    if (!holder && scope_.result && scope_.arguments.empty()) {
        return no_packet(expression);
    }
    if (members == nullptr || scope_.types == nullptr) {
        return refuse(expression,
                      fmt::format("'{}' is a packet's, but no argument is a struct sk_buff{} here",
                                  expression.text, frame == nullptr ? "" : " or xdp_buff"));
    }
    auto path = parse_expression(fmt::format("{}->{}", holder->structure, members));
    return path ? lower(*path) : tl::unexpected(std::move(path).error());
}

tl::unexpected<text::TextError> Lowering::unknown(const Expression& expression) const {
    std::vector<std::string_view> names;
    for (const auto& [name, type] : scope_.arguments) {
        if (!name.empty()) {
            names.push_back(name);
        }
    }
    for (const RecordField& field : scope_.record) {
        names.push_back(field.name);
    }
    std::string here = fmt::format("{}", fmt::join(names, ", "));
    for (const Builtin& each : kBuiltins) {
        names.push_back(each.name);
    }
    for (const Builtin& each : kPacketNumbers) {
        names.push_back(each.name);
    }
    for (const char* each :
         {"comm", "retval", "saddr", "daddr", "packet", "dev", "netns", "mark"}) {
        names.emplace_back(each);
    }
    const std::string near = text::did_you_mean(expression.text, names);
    return refuse(expression,
                  fmt::format("unknown name '{}'{}{}", expression.text,
                              here.empty() ? "" : ": here are " + here,
                              near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

} // namespace weir::trace
