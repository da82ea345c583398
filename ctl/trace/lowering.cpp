#include "trace/lowering.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/lexer.h"

namespace weir::trace {
namespace {

using kernel::BtfType;
using text::Parsed;
using Kind = Expression::Kind;
using Where = Value::Where;

bool is_scalar(const BtfType& type) {
    using K = BtfType::Kind;
    return type.kind == K::kInteger || type.kind == K::kBool || type.kind == K::kEnum ||
           type.kind == K::kPointer;
}

} // namespace

Shape shape_of(const BtfType& type) {
    switch (type.kind) {
    case BtfType::Kind::kBool:
        return Shape::kBool;
    case BtfType::Kind::kEnum:
        return Shape::kEnum;
    case BtfType::Kind::kPointer:
    case BtfType::Kind::kFunction:
        return Shape::kHexadecimal;
    default:
        return type.is_signed ? Shape::kSigned : Shape::kUnsigned;
    }
}

bool is_big_endian(const BtfType& type) {
    return type.alias == "__be16" || type.alias == "__be32" || type.alias == "__be64" ||
           type.alias == "__sum16";
}

tl::unexpected<text::TextError> refuse(const Expression& at, std::string message) {
    return tl::unexpected(text::TextError{at.place, std::move(message)});
}

void Lowering::step(trace_operation operation, std::uint16_t index, std::int64_t value,
                    std::uint8_t size) {
    trace_step step{};
    step.operation = static_cast<std::uint8_t>(operation);
    step.index = index;
    step.value = value;
    step.size = size;
    builder_.steps_.push_back(step);
}

Parsed<Value> Lowering::lower(const Expression& expression) {
    switch (expression.kind) {
    case Kind::kNumber:
        step(TRACE_CONSTANT, 0, static_cast<std::int64_t>(expression.number));
        return Value{};
    case Kind::kText:
        return Value{.where = Where::kText, .shape = Shape::kText, .text = expression.text};
    case Kind::kPrefix:
        return Value{
            .where = Where::kPrefix, .shape = Shape::kAddress, .prefix = expression.prefix};
    case Kind::kName:
        return name(expression);
    case Kind::kMember:
        return member(expression);
    case Kind::kIndex:
        return index(expression);
    case Kind::kUnary:
        return unary(expression);
    case Kind::kBinary:
        return binary(expression);
    case Kind::kCast:
        return cast(expression);
    }
    return refuse(expression, "no expression");
}

Parsed<Value> Lowering::number(const Expression& expression) {
    auto value = lower(expression);
    if (value && value->where == Where::kMemory) {
        value = load(*value, expression);
    }
    if (value && value->where != Where::kStack) {
        return refuse(expression, "this is a text or an address, not a number: it can be compared "
                                  "with == and !=");
    }
    return value;
}

Parsed<Value> Lowering::load(Value value, const Expression& at) {
    if (!is_scalar(value.type)) {
        return refuse(
            at, fmt::format("'{}' is a {} of {} octets, not a number: name a member of it", at.text,
                            value.type.kind == BtfType::Kind::kArray ? "row" : "structure",
                            value.type.size));
    }
    std::uint32_t size = value.type.size;
    if (value.bits > 0) {
        size = (value.shift + value.bits + 7U) / 8;
    }
    size = std::min<std::uint32_t>(size, kWord);
    step(value.user ? TRACE_READ_USER : TRACE_READ, 0, value.offset,
         static_cast<std::uint8_t>(size));
    if (value.bits > 0) {
        step(TRACE_BITS, value.shift, 0, value.bits);
    } else if (is_big_endian(value.type)) {
        step(TRACE_SWAP, 0, 0, static_cast<std::uint8_t>(size));
    } else if (value.type.is_signed && size < kWord) {
        step(TRACE_SIGN, 0, 0, static_cast<std::uint8_t>(size));
    }
    return Value{.type = value.type, .shape = shape_of(value.type), .user = value.user};
}

bool Lowering::is_text(const Value& value) const {
    if (value.where == Where::kComm || value.where == Where::kSavedComm || value.span > 0) {
        return true;
    }
    using K = BtfType::Kind;
    if (scope_.types == nullptr ||
        (value.type.kind != K::kArray && value.type.kind != K::kPointer)) {
        return false;
    }
    const BtfType of = scope_.types->type(value.type.target);
    if (of.kind != K::kInteger || of.size != 1) {
        return false;
    }
    // Short rows of unsigned characters are Ethernet addresses and their like.
    constexpr std::uint32_t kShort = 8;
    return of.name == "char" ||
           (of.name == "unsigned char" && of.alias.empty() && value.type.elements > kShort);
}

ValueNames Lowering::names_of(const Value& value) const {
    return value.names != nullptr ? *value.names : scope_.types->enumerators(value.type.id);
}

void Lowering::take_text(const Value& value, std::uint16_t slot) {
    if (value.where == Where::kComm || value.where == Where::kSavedComm) {
        step(value.where == Where::kComm ? TRACE_COMM : TRACE_SAVED_COMM, slot);
        return;
    }
    std::int64_t offset = value.offset;
    if (value.where == Where::kMemory && value.type.kind == BtfType::Kind::kPointer) {
        step(TRACE_READ, 0, offset, kWord);
        offset = 0;
    }
    step(value.user ? TRACE_STRING_USER : TRACE_STRING, slot, offset);
}

// --- structures ---------------------------------------------------------------------------------

// What stands before '.', '->' or '[': a pointer that lies in memory is read.
Parsed<Value> Lowering::base_of(const Expression& expression) {
    auto value = lower(expression);
    const bool pointer_in_memory = value && value->where == Where::kMemory &&
                                   value->type.kind == BtfType::Kind::kPointer;
    return pointer_in_memory ? load(*value, expression) : value;
}

Parsed<Value> Lowering::member(const Expression& expression) {
    const Expression& of = expression.children.front();
    auto base = base_of(of);
    if (!base) {
        return base;
    }
    BtfType type = base->type;
    if (base->where == Where::kStack && type.kind == BtfType::Kind::kPointer) {
        type = scope_.types->type(type.target);
        base->where = Where::kMemory;
        base->offset = 0;
    }
    if (base->where != Where::kMemory || type.kind != BtfType::Kind::kStruct) {
        return refuse(expression, fmt::format("'{}' is not a structure: it has no member '{}'",
                                              of.text, expression.text));
    }
    const auto found = scope_.types->member(type.id, expression.text);
    if (!found) {
        const auto names = scope_.types->member_names(type.id);
        const std::string near = text::did_you_mean(expression.text, {names.begin(), names.end()});
        return refuse(expression,
                      fmt::format("struct {} has no member '{}'{}", type.name, expression.text,
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }
    Value value{.where = Where::kMemory,
                .type = scope_.types->type(found->type),
                .offset = base->offset + found->offset,
                .bits = found->bits,
                .shift = found->shift,
                .user = base->user};
    value.shape = shape_of(value.type);
    return value;
}

Parsed<Value> Lowering::index(const Expression& expression) {
    const Expression& of = expression.children[0];
    const Expression& at = expression.children[1];
    if (at.kind != Kind::kNumber) {
        return refuse(at, "an index is a number");
    }
    auto base = base_of(of);
    if (!base) {
        return base;
    }
    const auto kind = base->type.kind;
    if (kind != BtfType::Kind::kArray && kind != BtfType::Kind::kPointer) {
        return refuse(expression, fmt::format("'{}' is no array", of.text));
    }
    if (kind == BtfType::Kind::kArray && at.number >= base->type.elements) {
        return refuse(at, fmt::format("'{}' has {} elements", of.text, base->type.elements));
    }
    Value value{.where = Where::kMemory,
                .type = scope_.types->type(base->type.target),
                .offset = kind == BtfType::Kind::kArray ? base->offset : 0,
                .user = base->user};
    value.offset += static_cast<std::int64_t>(at.number) * value.type.size;
    value.shape = shape_of(value.type);
    return value;
}

} // namespace weir::trace
