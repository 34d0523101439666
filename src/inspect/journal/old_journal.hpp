// SPDX-License-Identifier: Apache-2.0
// The journal's form before it was a file of records (store/records): one record a line, 16
// hexadecimal digits (the start of the SHA-256 of what follows the space), a space, a JSON object,
// a newline. It is read once, when a device gets this version, and replaced.
#pragma once

#include "store/records/record_file.hpp"

namespace andon::inspect {

// Makes a file of records, with the same JSON, of a journal in the old form; leaves every other
// file alone. A crash leaves the old or the new one. Throws data_corrupted where the file is
// neither.
void replace_old_journal(const base::fs::path& path, const store::RecordFile::Limits& limits);

}  // namespace andon::inspect
