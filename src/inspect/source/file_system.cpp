// SPDX-License-Identifier: Apache-2.0
#include "inspect/source/file_system.hpp"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace andon::inspect {

bool is_on_network(const base::fs::path& path) {
  // statfs(2), linux/magic.h, and those of modules outside the kernel.
  constexpr std::array<std::uint32_t, 17> kShared{
      0x6969,      // NFS
      0x517B,      // SMB
      0xFF534D42,  // CIFS
      0xFE534D42,  // SMB2
      0x65735546,  // FUSE: sshfs, GlusterFS, s3fs, ...
      0x01021997,  // 9P: virtual machines, WSL
      0x6A656A63,  // virtiofs
      0x00C36400,  // Ceph
      0x0BD00BD0,  // Lustre
      0x5346414F,  // AFS
      0x6B414653,  // kAFS
      0x73757245,  // Coda
      0x47504653,  // GPFS
      0x19830326,  // BeeGFS
      0x7461636F,  // OCFS2
      0x01161970,  // GFS2
      0x786F4256,  // VirtualBox's shared folders
  };
  struct statfs status {};
  if (statfs(path.c_str(), &status) != 0) return false;
  const auto type = static_cast<std::uint32_t>(status.f_type);
  return std::ranges::find(kShared, type) != kShared.end();
}

}  // namespace andon::inspect
