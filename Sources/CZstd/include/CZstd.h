// Zstandard, as the system's library offers it.
#ifndef DTX_CZSTD_H
#define DTX_CZSTD_H

#if !__has_include(<zstd.h>)
#error "zstd is missing: run  apt-get install -y liburing-dev libzstd-dev libxxhash-dev"
#endif
#include <zstd.h>

#endif
