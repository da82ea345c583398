#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/statistics.h"

namespace weir::bench {

using Json = nlohmann::ordered_json;

// Version of the result files: their key "schema".
inline constexpr int kResultSchema = 1;

// Where, by what and when a result was made.
struct Origin {
    std::string weir;      // version and commit of the binary
    std::string kernel;    // "6.1.0-56-amd64", of uname(2)
    std::string processor; // its model name
    std::uint32_t cpus = 0;
    std::string started; // UTC, ISO 8601
};
Origin here_and_now();

// The beginning of every result file: schema, kind ("run", "net", …), origin, options. What was
// found is appended by who found it.
Json begin_document(const char* kind, const Origin& origin, Json options);

// {"median", "lower", "upper"}.
Json to_json(const Figure& figure);
// Throws what nlohmann's at() and get() do, for another shape.
Figure figure_from(const Json& json);

} // namespace weir::bench
