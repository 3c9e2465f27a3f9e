// All kernels, apart from what runs them: the checked GPU has these compiled with every access told to watched.cc.

#include "kernels.cu"
