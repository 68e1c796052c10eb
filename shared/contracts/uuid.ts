/** A UUID of versions 1 to 8 (RFC 9562), in either case. Neither the nil nor the max UUID: they identify nothing. */
export const uuidPattern = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$/;
