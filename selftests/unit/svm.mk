# SPDX-License-Identifier: GPL-2.0-only
# What is pure in the AMD-V backend.

TEST_GEN_PROGS += svm_asid

svm_asid_SRC := module/svm/asid.c
