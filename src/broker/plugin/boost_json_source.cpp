// SPDX-License-Identifier: Apache-2.0
// Boost.JSON once more: the archive that programs are linked with is not compiled for modules.
#include <boost/json/src.hpp>
