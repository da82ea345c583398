#include "kernel/btf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <string_view>

#include "base/fd.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

using Kind = BtfType::Kind;

const char* name_of(const btf* types, std::uint32_t offset) {
    const char* name = btf__name_by_offset(types, offset);
    return name == nullptr ? "" : name;
}

bool is_structure(const btf_type* type) {
    return type != nullptr && btf_is_composite(type);
}

// __be16 is a typedef of __u16: what says the order of octets is kept.
bool says_order(const std::string& alias) {
    return alias.starts_with("__be") || alias == "__sum16";
}

// Past typedefs and qualifiers; `alias`, if not null, becomes the last typedef's name.
std::uint32_t plain(const btf* types, std::uint32_t id, std::string* alias = nullptr) {
    for (const btf_type* type = btf__type_by_id(types, id);
         type != nullptr && (btf_is_mod(type) || btf_is_typedef(type));
         type = btf__type_by_id(types, id)) {
        if (alias != nullptr && btf_is_typedef(type) && !says_order(*alias)) {
            *alias = name_of(types, type->name_off);
        }
        id = type->type;
    }
    return id;
}

Kind kind_of(const btf_type* type) {
    switch (btf_kind(type)) {
    case BTF_KIND_INT:
        return (btf_int_encoding(type) & BTF_INT_BOOL) != 0 ? Kind::kBool : Kind::kInteger;
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        return Kind::kEnum;
    case BTF_KIND_PTR:
        return Kind::kPointer;
    case BTF_KIND_ARRAY:
        return Kind::kArray;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_FWD:
        return Kind::kStruct;
    case BTF_KIND_FLOAT:
        return Kind::kFloat;
    case BTF_KIND_FUNC_PROTO:
        return Kind::kFunction;
    default:
        return Kind::kVoid;
    }
}

std::optional<BtfMember> find_member(const btf* types, std::uint32_t id, std::string_view name,
                                     std::uint32_t from_bits) {
    const btf_type* type = btf__type_by_id(types, plain(types, id));
    if (!is_structure(type)) {
        return std::nullopt;
    }
    const btf_member* members = btf_members(type);
    for (std::uint32_t i = 0; i < btf_vlen(type); i++) {
        const std::uint32_t at = from_bits + btf_member_bit_offset(type, i);
        const std::string_view its = name_of(types, members[i].name_off);
        if (its.empty()) {
            if (auto inner = find_member(types, members[i].type, name, at)) {
                return inner;
            }
        } else if (its == name) {
            const auto bits = static_cast<std::uint8_t>(btf_member_bitfield_size(type, i));
            return BtfMember{members[i].type, at / 8, bits, static_cast<std::uint8_t>(at % 8)};
        }
    }
    return std::nullopt;
}

BtfFunction prototype(const btf* types, const btf_type* type, std::size_t skip) {
    BtfFunction function;
    const btf_param* parameters = btf_params(type);
    for (std::size_t i = skip; i < btf_vlen(type); i++) {
        function.parameters.emplace_back(name_of(types, parameters[i].name_off),
                                         parameters[i].type);
    }
    function.result = type->type;
    return function;
}

template <typename Each>
void for_enumerators(const btf* types, const btf_type* type, const Each& each) {
    for (std::uint32_t i = 0; i < btf_vlen(type); i++) {
        if (btf_is_enum64(type)) {
            const struct btf_enum64& one = ::btf_enum64(type)[i];
            each(name_of(types, one.name_off), static_cast<std::int64_t>(btf_enum64_value(&one)));
        } else {
            const struct btf_enum& one = ::btf_enum(type)[i];
            each(name_of(types, one.name_off), static_cast<std::int64_t>(one.val));
        }
    }
}

} // namespace

struct Btf::State {
    btf* types;
    explicit State(btf* loaded) : types(loaded) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { btf__free(types); }

    std::optional<std::uint32_t> find(const std::string& name, std::uint32_t kind) const {
        const int id = btf__find_by_name_kind(types, name.c_str(), kind);
        return id > 0 ? std::optional(static_cast<std::uint32_t>(id)) : std::nullopt;
    }
};

Btf::Btf(std::unique_ptr<State> state) : state_(std::move(state)) {}
Btf::Btf(Btf&&) noexcept = default;
Btf& Btf::operator=(Btf&&) noexcept = default;
Btf::~Btf() = default;

Result<Btf> Btf::of_kernel() {
    btf* types = btf__load_vmlinux_btf();
    if (types == nullptr) {
        return refusal("reading the kernel's types (/sys/kernel/btf/vmlinux)", errno);
    }
    return Btf(std::make_unique<State>(types));
}

bool Btf::is_of_kernel(std::uint32_t id) {
    const Fd fd(bpf_btf_get_fd_by_id(id));
    char name[32] = {};
    bpf_btf_info info{};
    info.name = reinterpret_cast<__u64>(name);
    info.name_len = sizeof(name);
    __u32 size = sizeof(info);
    return fd && bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0 && info.kernel_btf != 0 &&
           std::string_view(name) == "vmlinux";
}

Result<Btf> Btf::of_module(std::uint32_t id, const Btf& kernel) {
    btf* types = btf__load_from_kernel_by_id_split(id, kernel.state_->types);
    if (types == nullptr) {
        return refusal("reading a module's types", errno);
    }
    return Btf(std::make_unique<State>(types));
}

Result<Btf> Btf::of_program(std::uint32_t id) {
    btf* types = btf__load_from_kernel_by_id(id);
    if (types == nullptr) {
        return refusal("reading a program's types", errno);
    }
    return Btf(std::make_unique<State>(types));
}

BtfType Btf::type(std::uint32_t id) const {
    const btf* types = state_->types;
    BtfType found;
    found.id = plain(types, id, &found.alias);
    const btf_type* type = btf__type_by_id(types, found.id);
    if (type == nullptr || found.id == 0) {
        return found;
    }
    found.kind = kind_of(type);
    found.name = name_of(types, type->name_off);
    const std::int64_t size = btf__resolve_size(types, found.id);
    found.size = size < 0 ? 0 : static_cast<std::uint32_t>(size);
    if (found.kind == Kind::kInteger) {
        found.is_signed = (btf_int_encoding(type) & BTF_INT_SIGNED) != 0;
    } else if (found.kind == Kind::kEnum) {
        found.is_signed = btf_kflag(type);
    } else if (found.kind == Kind::kPointer) {
        found.target = type->type;
    } else if (found.kind == Kind::kArray) {
        found.target = btf_array(type)->type;
        found.elements = btf_array(type)->nelems;
    }
    return found;
}

std::optional<BtfFunction> Btf::function(const std::string& name) const {
    const auto id = state_->find(name, BTF_KIND_FUNC);
    if (!id) {
        return std::nullopt;
    }
    const btf_type* function = btf__type_by_id(state_->types, *id);
    const btf_type* type = btf__type_by_id(state_->types, function->type);
    BtfFunction found = prototype(state_->types, type, 0);
    found.id = *id;
    return found;
}

std::string Btf::function_name(std::uint32_t id) const {
    const btf_type* type = btf__type_by_id(state_->types, id);
    return type != nullptr && btf_is_func(type) ? name_of(state_->types, type->name_off) : "";
}

std::optional<BtfFunction> Btf::raw_tracepoint(const std::string& name) const {
    const auto id = state_->find("btf_trace_" + name, BTF_KIND_TYPEDEF);
    if (!id) {
        return std::nullopt;
    }
    const BtfType pointer = type(*id);
    const btf_type* target = btf__type_by_id(state_->types, plain(state_->types, pointer.target));
    if (pointer.kind != Kind::kPointer || target == nullptr || !btf_is_func_proto(target)) {
        return std::nullopt;
    }
    BtfFunction found = prototype(state_->types, target, 1); // void *__data
    // The typedef knows types alone; the function that calls the probes has names, too.
    const auto caller = function("__traceiter_" + name);
    if (caller && caller->parameters.size() == found.parameters.size() + 1) {
        found.parameters.assign(caller->parameters.begin() + 1, caller->parameters.end());
        // Newer kernels say so in the name where a pointer may be NULL.
        constexpr std::string_view kNullable = "__nullable";
        for (auto& [its, type] : found.parameters) {
            if (its.ends_with(kNullable)) {
                its.resize(its.size() - kNullable.size());
            }
        }
    }
    return found;
}

std::optional<std::uint32_t> Btf::structure(const std::string& name) const {
    const auto id = state_->find(name, BTF_KIND_STRUCT);
    return id ? id : state_->find(name, BTF_KIND_UNION);
}

std::optional<std::uint32_t> Btf::pointer_to(const std::string& name) const {
    const auto target = structure(name);
    const std::uint32_t count = btf__type_cnt(state_->types);
    for (std::uint32_t id = 1; target && id < count; id++) {
        const btf_type* type = btf__type_by_id(state_->types, id);
        if (btf_is_ptr(type) && type->type == *target) {
            return id;
        }
    }
    return std::nullopt;
}

std::optional<BtfMember> Btf::member(std::uint32_t id, const std::string& name) const {
    return find_member(state_->types, id, name, 0);
}

std::vector<std::string> Btf::member_names(std::uint32_t id) const {
    std::vector<std::string> names;
    const btf_type* type = btf__type_by_id(state_->types, plain(state_->types, id));
    if (!is_structure(type)) {
        return names;
    }
    for (std::uint32_t i = 0; i < btf_vlen(type); i++) {
        const btf_member& member = btf_members(type)[i];
        const std::string its = name_of(state_->types, member.name_off);
        if (its.empty()) {
            const auto inner = member_names(member.type);
            names.insert(names.end(), inner.begin(), inner.end());
        } else {
            names.push_back(its);
        }
    }
    return names;
}

std::vector<std::pair<std::string, std::int64_t>> Btf::enumerators(std::uint32_t id) const {
    std::vector<std::pair<std::string, std::int64_t>> values;
    const btf_type* type = btf__type_by_id(state_->types, plain(state_->types, id));
    if (type != nullptr && btf_is_any_enum(type)) {
        for_enumerators(state_->types, type, [&](const char* name, std::int64_t value) {
            values.emplace_back(name, value);
        });
    }
    return values;
}

std::optional<std::int64_t> Btf::enumerator(const std::string& name) const {
    std::optional<std::int64_t> found;
    const std::uint32_t count = btf__type_cnt(state_->types);
    for (std::uint32_t id = 1; id < count && !found; id++) {
        const btf_type* type = btf__type_by_id(state_->types, id);
        if (btf_is_any_enum(type)) {
            for_enumerators(state_->types, type, [&](const char* its, std::int64_t value) {
                if (its == name) {
                    found = value;
                }
            });
        }
    }
    return found;
}

std::optional<std::uint32_t> Btf::enumeration(const std::string& name) const {
    const auto id = state_->find(name, BTF_KIND_ENUM);
    return id ? id : state_->find(name, BTF_KIND_ENUM64);
}

} // namespace weir::kernel
