#pragma once

#include <string>

#include "trace/recipe.h"

// How one expression becomes steps.
namespace weir::trace {

// Where a value is while steps are being made.
struct Value {
    enum class Where {
        kStack,  // on the machine's stack
        kMemory, // its address less `offset` is on the stack
        kText,   // a constant: `text`
        kPrefix, // a constant: `prefix`
        kSource, // the packet's addresses
        kDestination,
        kComm,      // the thread's name
        kSavedComm, // that of the thread that opened what is closed
    };
    Where where = Where::kStack;
    kernel::BtfType type = {};
    Shape shape = Shape::kUnsigned;
    std::int64_t offset = 0;
    std::uint8_t bits = 0, shift = 0; // of a bit field in memory
    bool user = false;                // in the process's memory
    std::uint32_t span = 0; // octets in memory where the type does not say: of texts in records
    std::string text = {};
    Prefix prefix = {};
    const ValueNames* names = nullptr; // of an enum that the kernel's types do not know
};

class Lowering {
public:
    explicit Lowering(RecipeBuilder& builder) : builder_(builder), scope_(builder.scope_) {}

    text::Parsed<Value> lower(const Expression& expression);
    // The same with the number on the stack, whatever it was.
    text::Parsed<Value> number(const Expression& expression);
    // Loads a value from memory onto the stack.
    text::Parsed<Value> load(Value value, const Expression& at);
    // 1 or 0 on the stack: whether the packet is of the flow.
    text::Parsed<void> in_flow(std::uint16_t flow, const Expression& at);
    bool is_text(const Value& value) const;
    // Of an enum's values.
    ValueNames names_of(const Value& value) const;
    // Text `slot` of the event becomes the value's.
    void take_text(const Value& value, std::uint16_t slot);

private:
    text::Parsed<Value> name(const Expression& expression);
    text::Parsed<Value> argument(std::size_t index);
    text::Parsed<Value> placed(const Expression& expression, const PlacedArgument& argument);
    // What is on the stack is a register's; beside a narrower value anything may stand in it.
    Value in_register(const kernel::BtfType& type);
    text::Parsed<Value> record(const RecordField& field);
    text::Parsed<Value> builtin(const Expression& expression);
    text::Parsed<Value> packet(const Expression& expression);
    // Its addresses become context, once.
    text::Parsed<void> read_packet(const Expression& at);
    text::Parsed<Value> no_packet(const Expression& expression) const;
    text::Parsed<Value> of_packet(const Expression& expression, const char* buffer,
                                  const char* frame);
    text::Parsed<Value> base_of(const Expression& expression);
    text::Parsed<Value> member(const Expression& expression);
    text::Parsed<Value> index(const Expression& expression);
    text::Parsed<Value> unary(const Expression& expression);
    text::Parsed<Value> binary(const Expression& expression);
    text::Parsed<Value> cast(const Expression& expression);
    text::Parsed<Value> compare(const Expression& expression);
    text::Parsed<Value> same_text(const Expression& expression, const Value& left,
                                  const std::string& text);
    text::Parsed<Value> in_prefix(const Expression& expression, const Value& address,
                                  const Prefix& prefix);
    std::optional<std::int64_t> enumerator(const Value& value, const std::string& name);
    tl::unexpected<text::TextError> unknown(const Expression& expression) const;

    void step(trace_operation operation, std::uint16_t index = 0, std::int64_t value = 0,
              std::uint8_t size = 0);

    RecipeBuilder& builder_;
    const Scope& scope_;
};

// The argument or field that leads to a packet's addresses, and by which step.
struct PacketHolder {
    std::string name;
    std::string structure; // an expression: the name, with its type where it has none of its own
    trace_operation operation;
};
std::optional<PacketHolder> packet_holder(const Scope& scope);

inline constexpr std::uint8_t kWord = 8; // octets of a number on the stack
Shape shape_of(const kernel::BtfType& type);
bool is_big_endian(const kernel::BtfType& type);

tl::unexpected<text::TextError> refuse(const Expression& at, std::string message);

} // namespace weir::trace
