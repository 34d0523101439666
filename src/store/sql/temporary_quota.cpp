// SPDX-License-Identifier: Apache-2.0
#include "store/sql/temporary_quota.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/error/error.hpp"

namespace andon::store {
namespace {

thread_local TemporaryQuota* current = nullptr;

// In the memory that SQLite gives for a file: this, and behind it the file of the system's kind.
struct CountedFile {
  sqlite3_file base;
  std::int64_t size;  // what the quota has been charged with
  sqlite3_file* real;
};

CountedFile* counted(sqlite3_file* file) {
  return reinterpret_cast<CountedFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return counted(file)->real;
}

int close_file(sqlite3_file* file) {
  if (current != nullptr) current->give_back(counted(file)->size);
  return real(file)->pMethods->xClose(real(file));
}
int read_file(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}
int write_file(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  const std::int64_t grown = std::max<std::int64_t>(0, offset + count - counted(file)->size);
  if (grown > 0 && current != nullptr) {
    if (!current->take(grown)) return SQLITE_FULL;
    counted(file)->size += grown;
  }
  return real(file)->pMethods->xWrite(real(file), bytes, count, offset);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return real(file)->pMethods->xTruncate(real(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
  return real(file)->pMethods->xSync(real(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_reserved(sqlite3_file* file, int* result) {
  return real(file)->pMethods->xCheckReservedLock(real(file), result);
}
int control_file(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;  // no hints about a size to reserve, which nothing would have counted
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

sqlite3_io_methods methods() {
  sqlite3_io_methods made{};
  made.iVersion = 1;
  made.xClose = close_file;
  made.xRead = read_file;
  made.xWrite = write_file;
  made.xTruncate = truncate_file;
  made.xSync = sync_file;
  made.xFileSize = file_size;
  made.xLock = lock_file;
  made.xUnlock = unlock_file;
  made.xCheckReservedLock = check_reserved;
  made.xFileControl = control_file;
  made.xSectorSize = sector_size;
  made.xDeviceCharacteristics = characteristics;
  return made;
}

constexpr unsigned kTemporary = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |
                                SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL;

sqlite3_vfs* system_vfs(sqlite3_vfs* ours) {
  return static_cast<sqlite3_vfs*>(ours->pAppData);
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods kMethods = methods();
  sqlite3_vfs* const system = system_vfs(vfs);
  if ((static_cast<unsigned>(flags) & kTemporary) == 0) {
    return system->xOpen(system, name, file, flags, out_flags);
  }
  CountedFile* const made = counted(file);
  made->base.pMethods = nullptr;  // none: SQLite does not close it
  made->size = 0;
  made->real = reinterpret_cast<sqlite3_file*>(made + 1);
  made->real->pMethods = nullptr;
  const int result = system->xOpen(system, name, made->real, flags, out_flags);
  if (result == SQLITE_OK) made->base.pMethods = &kMethods;
  return result;
}

sqlite3_vfs counting_vfs() {
  sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  sqlite3_vfs made = *system;  // its other functions do not look at which one they are called by
  made.pNext = nullptr;
  made.zName = "andon-counted";
  made.szOsFile = system->szOsFile + static_cast<int>(sizeof(CountedFile));
  made.xOpen = open_file;
  made.pAppData = system;
  return made;
}

}  // namespace

TemporaryQuota::TemporaryQuota(std::int64_t bytes) : left_(bytes) {
  current = this;
}

TemporaryQuota::~TemporaryQuota() {
  current = nullptr;
}

bool TemporaryQuota::take(std::int64_t bytes) {
  if (bytes > left_) {
    is_exceeded_ = true;
    return false;
  }
  left_ -= bytes;
  return true;
}

const char* TemporaryQuota::vfs() {
  static sqlite3_vfs ours = counting_vfs();
  static const int kRegistered = sqlite3_vfs_register(&ours, 0);
  if (kRegistered != SQLITE_OK) {
    throw base::Error(base::ErrorCode::internal, "SQLite takes no further file system");
  }
  return ours.zName;
}

}  // namespace andon::store
