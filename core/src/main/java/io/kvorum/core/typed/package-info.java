/** Keys and values as objects, turned into the bytes of a store by codecs. */
package io.kvorum.core.typed;
