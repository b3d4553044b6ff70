// libtorch contains gloo and comes without its headers: this folder declares what c10d's own headers name of it.
#pragma once
