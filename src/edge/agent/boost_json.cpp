// SPDX-License-Identifier: Apache-2.0
// Boost.JSON as the agent has it: compiled for size, and without what nobody calls. It comes before
// Debian's library, which is compiled for speed and linked whole (0.17 MB more).
#include <boost/json/src.hpp>
