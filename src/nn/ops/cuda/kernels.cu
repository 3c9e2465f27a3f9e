// All kernels in one unit, compiled to PTX by build.rs.

#include "adam.cu"
#include "attention.cu"
#include "context.cu"
#include "embedding.cu"
#include "linear.cu"
#include "norm.cu"
#include "projection.cu"
#include "recurrent.cu"
#include "rows.cu"
