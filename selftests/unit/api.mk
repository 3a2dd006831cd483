# SPDX-License-Identifier: GPL-2.0-only
# The ABI's page against the module's tables.

TEST_PROGS += api_doc.sh
