#include "text/rule_text.h"

namespace weir::text {

Error to_error(const TextError& error, std::string_view source) {
    const std::string line = std::to_string(error.place.line);
    const std::string column = std::to_string(error.place.column);
    if (!source.empty()) {
        return Error(std::string(source) + ":" + line + ":" + column + ": " + error.message,
                     Fault::kUsage);
    }
    const std::string where = error.place.line == 1 ? "" : "line " + line + ", ";
    return Error(where + "column " + column + ": " + error.message, Fault::kUsage);
}

} // namespace weir::text
