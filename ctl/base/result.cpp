#include "base/result.h"

#include <system_error>

namespace weir {

tl::unexpected<Error> fail_errno(std::string_view doing, int error) {
    return fail(Error(std::generic_category().message(error)).while_(doing));
}

} // namespace weir
